import type { FeedItem } from '@freshet/client/browser'
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react'
import { useLocation } from 'wouter'
import { nowMs } from '../api/browser.ts'
import { WhyPanel } from '../why/why-panel.tsx'
import { savedBefore } from './because.ts'
import { useHome } from './home-context.tsx'
import { Masonry, type Cell } from './masonry/masonry.tsx'
import { PinCardView } from './pin/pin-card.tsx'
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
  const { cards, shown, seeds } = useHome()
  // Topics come after the pins, and the reasons name them.
  const cardsVersion = useSyncExternalStore(cards.subscribe, cards.version)
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
      const haveSameTopic = (one: string, other: string): boolean =>
        cards.get(one)?.topics.some((topic) => cards.get(other)?.topics.includes(topic)) ?? false
      const saved = fresh.has(pin.pinId)
        ? savedBefore(pin, seeds.get(pin.feedId ?? '') ?? [], { nowMs: nowMs(), haveSameTopic })
        : null
      return (
        <PinCardView
          pin={pin}
          height={cell.height}
          isActive={cell.isActive}
          calls={calls}
          isFresh={saved !== null}
          moved={moves.get(pin.pinId) ?? 0}
          note={saved ? `Since you saved ${cards.titleOf(saved.pinId) || saved.pinId}` : ''}
          position={position.get(pin.pinId) ?? 0}
        />
      )
    },
    [fresh, moves, cards, cardsVersion, seeds, calls, position],
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
