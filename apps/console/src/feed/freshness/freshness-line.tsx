import { useSyncExternalStore } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { useHome } from '../home-context.tsx'
import { formatMs, type Passage } from './freshness.ts'
import './freshness-line.css'

const did: Readonly<Record<string, string>> = {
  ...{ save: 'Saved', unsave: 'Unsaved', closeup: 'Opened', click: 'Clicked', hide: 'Hidden', unhide: 'Shown again' },
  ...{ dismiss: 'Not interested', follow: 'Followed', unfollow: 'Unfollowed' },
}

/** What became of the person's last action, in measured milliseconds, and the distribution of this visit. */
export function FreshnessLine() {
  const { freshness } = useHome()
  const { last, count, p50Ms, p99Ms } = useSyncExternalStore(freshness.subscribe, freshness.read)
  if (!last)
    return (
      <p className="freshness freshness-hint">
        <Icon name="bolt" />
        Save a pin, and what comes next changes at once.
      </p>
    )
  return (
    <section className="freshness" aria-label="Freshness" aria-live="polite">
      <Icon name="bolt" />
      <ol>
        <li>{did[last.action] ?? last.action}</li>
        <Step name="accepted" ms={last.acceptedMs} passage={last} />
        <Step name="in features" ms={last.featureMs} passage={last} />
        <Step name="in your feed" ms={last.feedMs} passage={last} isLast />
      </ol>
      {p50Ms !== null && p99Ms !== null && (
        <span className="freshness-all number" title={`${count} actions of this visit`}>
          p50 {formatMs(p50Ms)} · p99 {formatMs(p99Ms)}
        </span>
      )}
      {last.token !== '' && (
        <code title={`The token of this action: ${last.token}. A feed that is asked with it reflects the action.`}>
          {last.token.slice(0, 10)}…
        </code>
      )}
    </section>
  )
}

function Step({
  name,
  ms,
  passage,
  isLast = false,
}: {
  readonly name: string
  readonly ms: number | null
  readonly passage: Passage
  readonly isLast?: boolean
}) {
  const isWaiting = ms === null && !passage.hasFailed
  return (
    <li className={isLast && ms !== null ? 'is-done' : ''}>
      <span className="freshness-name">{name}</span>{' '}
      <span className="number">{ms !== null ? formatMs(ms) : isWaiting ? '…' : 'not yet'}</span>
    </li>
  )
}
