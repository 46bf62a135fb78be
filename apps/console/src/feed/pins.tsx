import type { FeedItem } from '@freshet/client/browser'
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react'
import { useLocation } from 'wouter'
import { nowMs } from '../api/browser.ts'
import { WhyPanel } from '../why/why-panel.tsx'
import { becauseOf } from './because.ts'
import { useHome } from './home-context.tsx'
import { Masonry, type Cell } from './masonry/masonry.tsx'
import { PinCardView } from './pin/pin-card.tsx'
import { usePerson } from './person/person-context.tsx'
import { useActions } from './use-actions.tsx'

const nothing: ReadonlySet<string> = new Set()
const unmoved: ReadonlyMap<string, number> = new Map()

/** A masonry of pins with everything that can be done with them. */
export function Pins({
  label,
  items,
  pending = 0,
  fresh = nothing,
  moves = unmoved,
  onNearEnd,
  onHidden,
  below,
}: {
  readonly label: string
  readonly items: readonly FeedItem[]
  readonly pending?: number
  readonly fresh?: ReadonlySet<string>
  readonly moves?: ReadonlyMap<string, number>
  readonly onNearEnd?: () => void
  /** A pin was hidden; the home feed takes it off by itself. */
  readonly onHidden?: (pinId: string) => void
  readonly below?: { current: (() => number) | null }
}) {
  const { cards, shown } = useHome()
  // Topics come after the pins, and the reasons name them.
  const cardsVersion = useSyncExternalStore(cards.subscribe, cards.version)
  const { memory, userId } = usePerson()
  const actions = useActions()
  const [, navigate] = useLocation()
  const [asked, setAsked] = useState<FeedItem | null>(null)
  useEffect(() => {
    cards.want(items.map(({ pinId }) => pinId))
  }, [cards, items])

  const calls = useMemo(
    () => ({
      onOpen(pin: FeedItem) {
        shown.set(pin.pinId, pin)
        navigate(`/pin/${encodeURIComponent(pin.pinId)}`)
        actions.open(pin)
      },
      onWhy: setAsked,
      onHide(pin: FeedItem) {
        actions.hide(pin)
        onHidden?.(pin.pinId)
      },
    }),
    [shown, navigate, actions, onHidden],
  )
  const position = useMemo(() => new Map(items.map(({ pinId }, at) => [pinId, at])), [items])
  const draw = useCallback(
    (pin: FeedItem, cell: Cell): ReactNode => {
      const isFresh = fresh.has(pin.pinId)
      const found = isFresh ? becauseOf(pin, cards.get(pin.pinId), memory.saves, nowMs()) : null
      // What a user with a past gets from its sources follows from many actions: only the topic names one of them.
      const because = found?.how === 'topic' || userId.startsWith('new-') ? found : null
      return (
        <PinCardView
          pin={pin}
          height={cell.height}
          isActive={cell.isActive}
          calls={calls}
          isFresh={because !== null}
          moved={moves.get(pin.pinId) ?? 0}
          note={because ? `Since you saved ${because.save.title}` : ''}
          position={position.get(pin.pinId) ?? 0}
        />
      )
    },
    [fresh, moves, cards, cardsVersion, memory.saves, userId, calls, position],
  )
  return (
    <>
      <Masonry
        label={label}
        items={items}
        pending={pending}
        {...(onNearEnd && { onNearEnd })}
        {...(below && { below })}
      >
        {draw}
      </Masonry>
      {asked && (
        <WhyPanel
          pin={asked}
          onClose={() => {
            setAsked(null)
          }}
        />
      )}
    </>
  )
}
