import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import type { FeedItem } from '@freshet/client/browser'
import { after } from '../api/browser.ts'
import { useConfig } from '../api/config-context.tsx'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { EmptyState, ErrorState } from '../ui/states.tsx'
import { TunePanel } from '../why/tune/tune-panel.tsx'
import { degradationInWords } from './degradation.ts'
import { useCards, useHome } from './home-context.tsx'
import { pictureAddress } from '../api/picture-address.ts'
import { Pins } from './pins.tsx'
import './page.css'

const retryMs = 2_000
/** Pins that are looked at for pictures that the page may not load. */
const maxLookedAt = 100

/** The home feed. */
export function FeedPage() {
  const { store, below } = useHome()
  const { items, status, failure, degradation, reasons, fresh, moves } = useSyncExternalStore(
    store.subscribe,
    store.read,
  )
  const [isTuning, setIsTuning] = useState(false)
  const more = useCallback(() => {
    if (store.read().status === 'idle') void store.more()
  }, [store])
  useEffect(() => (status === 'failed' ? after(retryMs, () => void store.more()) : undefined), [status, store, failure])

  // Another person's feed begins at the top.
  useEffect(() => {
    window.scrollTo({ top: 0 })
  }, [store])

  const isEmpty = items.length === 0
  const degraded = degradationInWords(degradation, reasons)
  return (
    <div className={`feed ${isTuning ? 'is-tuning' : ''}`}>
      <h1 className="hidden-words">Home feed</h1>
      {failure && !isEmpty && (
        <p className="feed-problem" role="alert">
          <Icon name="cloud-off" /> The next pins do not come: {failure.message} The page tries again by itself.
        </p>
      )}
      {isEmpty && failure && <ErrorState what="The feed" failure={failure} retry={() => void store.more()} />}
      {isEmpty && status === 'ended' && (
        <EmptyState title="No pins yet">
          The catalogue is empty, or you have seen all of it. Bring pins in under Import, or post them to event-ingest.
        </EmptyState>
      )}
      <RefusedPictures items={items} />
      {(!isEmpty || (!failure && status !== 'ended')) && (
        <Pins
          label="Home feed"
          items={items}
          pending={status === 'loading' ? (isEmpty ? 24 : 8) : 0}
          fresh={fresh}
          moves={moves}
          onNearEnd={more}
          below={below}
        />
      )}
      {status === 'ended' && !isEmpty && <p className="feed-end">You have seen everything for now.</p>}
      {degraded !== null && (
        <p className="feed-degraded" role="status">
          <Icon name="cloud-off" /> {degraded}
        </p>
      )}
      {!isTuning && !isEmpty && (
        <Button
          look="plain"
          className="tune-button"
          icon={<Icon name="sliders" />}
          onClick={() => {
            setIsTuning(true)
          }}
        >
          <span>Tune</span>
        </Button>
      )}
      {isTuning && (
        <TunePanel
          onClose={() => {
            setIsTuning(false)
          }}
        />
      )}
    </div>
  )
}

/** Says how the page may load pictures of other origins, where it may not load those of these pins. */
function RefusedPictures({ items }: { readonly items: readonly FeedItem[] }) {
  const cards = useCards()
  const config = useConfig().value
  if (config === null) return null
  for (const { pinId } of items.slice(0, maxLookedAt)) {
    const imageUrl = cards.get(pinId)?.imageUrl ?? ''
    const { refusedOrigin } = pictureAddress(pinId, imageUrl, { ...config, own: location.origin })
    if (refusedOrigin !== null)
      return (
        <p className="feed-hint">
          Pictures of {refusedOrigin} are not shown. To show them, start the console with{' '}
          <code>--console.imageOrigins {refusedOrigin}</code>
        </p>
      )
  }
  return null
}
