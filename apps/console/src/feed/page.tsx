import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { after } from '../api/browser.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { EmptyState, ErrorState } from '../ui/states.tsx'
import { TunePanel } from '../why/tune/tune-panel.tsx'
import { useHome } from './home-context.tsx'
import { Pins } from './pins.tsx'
import './page.css'

const retryMs = 2_000

/** The home feed. */
export function FeedPage() {
  const { store, below } = useHome()
  const { items, status, failure, degradation, fresh, moves } = useSyncExternalStore(store.subscribe, store.read)
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
      {degradation !== '' && degradation !== 'NONE' && degradation !== 'EXHAUSTED' && (
        <p className="feed-degraded" role="status">
          <Icon name="cloud-off" /> {degraded[degradation] ?? 'Made without a part of the pipeline'}
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

const degraded: Readonly<Record<string, string>> = {
  PARTIAL: 'Made without some sources, which did not answer in time',
  RETRIEVAL_ORDER: 'Not ranked: the ranker does not answer',
  LAST_GOOD: 'Your last good feed: the services do not answer',
  POPULAR: 'Popular pins: the services do not answer',
}
