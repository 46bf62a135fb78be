import type { FeedItem } from '@freshet/client/browser'
import { memo, useEffect, useRef, type KeyboardEvent } from 'react'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { useCards } from '../home-context.tsx'
import { usePerson } from '../person/person-context.tsx'
import type { CardCalls } from './calls.ts'
import { Picture } from './picture.tsx'
import { PinMenu } from './pin-menu.tsx'
import { SaveButton, useQuickSave } from './save-button.tsx'
import './pin-card.css'

/** A pin in a masonry. Focused, it listens to Enter, S, H and W. */
export const PinCardView = memo(function PinCardView({
  pin,
  height,
  isActive,
  calls,
  isFresh = false,
  moved = 0,
  note = '',
  position,
}: {
  readonly pin: FeedItem
  /** Of the picture, CSS pixels. */
  readonly height: number
  /** It has the roving focus. */
  readonly isActive: boolean
  readonly calls: CardCalls
  /** It came because of what the person just did. */
  readonly isFresh?: boolean
  /** Positions that sliders moved it up. */
  readonly moved?: number
  /** Why it is marked, in a few words. */
  readonly note?: string
  readonly position: number
}) {
  const ref = useRef<HTMLElement>(null)
  const { client } = usePerson()
  const cards = useCards()
  const card = cards.get(pin.pinId)
  const title = cards.titleOf(pin.pinId)
  const quickSave = useQuickSave(pin)
  useEffect(() => client.observe(ref.current!, pin), [client, pin])

  const press = (event: KeyboardEvent): void => {
    if (event.target !== ref.current || event.ctrlKey || event.metaKey || event.altKey) return
    const act = { Enter: calls.onOpen, h: calls.onHide, w: calls.onWhy }[
      event.key.length === 1 ? event.key.toLowerCase() : event.key
    ]
    if (event.key.toLowerCase() === 's') quickSave()
    else if (act) act(pin)
    else return
    event.preventDefault()
  }
  const tabIndex = isActive ? 0 : -1
  return (
    <article
      ref={ref}
      className={`pin ${isFresh ? 'pin-fresh' : ''}`}
      aria-label={title || pin.pinId}
      aria-posinset={position + 1}
      aria-setsize={-1}
      tabIndex={tabIndex}
      data-roving
      data-pin={pin.pinId}
      onKeyDown={press}
    >
      <div className="pin-frame" style={{ height }}>
        <button
          type="button"
          className="pin-open"
          tabIndex={-1}
          aria-label={`Open ${title || pin.pinId}`}
          onClick={() => {
            calls.onOpen(pin)
          }}
        >
          <Picture pinId={pin.pinId} card={card} title={title} />
        </button>
        <div className="pin-top">
          <SaveButton pin={pin} tabIndex={tabIndex} />
        </div>
        <div className="pin-bottom">
          <IconButton
            label={`Why this pin: ${title}`}
            tabIndex={tabIndex}
            onClick={() => {
              calls.onWhy(pin)
            }}
          >
            <Icon name="why" />
          </IconButton>
          <PinMenu pin={pin} tabIndex={tabIndex} calls={calls} />
        </div>
        {moved !== 0 && (
          <span className={`pin-moved ${moved > 0 ? 'is-up' : 'is-down'}`}>
            <span aria-hidden="true">{moved > 0 ? '▲' : '▼'}</span>
            <span className="hidden-words">{moved > 0 ? 'up' : 'down'}</span> {Math.abs(moved)}
          </span>
        )}
      </div>
      <div className="pin-caption">
        <span className="pin-title">{title || ' '}</span>
        {note === '' ? (
          <span className="pin-topic">{(card?.topics ?? []).map(cards.topicOf).join(' · ')}</span>
        ) : (
          <span className="pin-note">
            <Icon name="bolt" />
            <span>{note}</span>
          </span>
        )}
      </div>
    </article>
  )
})
