import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Failure } from '../api/http.ts'
import type { Resource } from '../api/use-resource.ts'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import './states.css'

/** Nothing is here yet: says so, and what to do. */
export function EmptyState({
  title,
  children,
  action,
}: {
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
}) {
  return (
    <div className="state" role="status">
      <Icon name="drop" />
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {action}
    </div>
  )
}

/** Something could not be loaded: what, why in words, and that the page tries again by itself. */
export function ErrorState({
  what,
  failure,
  retry,
}: {
  /** Completes "… cannot be shown", e.g. "The feed". */
  readonly what: string
  readonly failure: Failure
  readonly retry?: () => void
}) {
  return (
    <div className="state state-error" role="alert">
      <Icon name="cloud-off" />
      <h2>{what} cannot be shown</h2>
      <p>
        {explain(failure)}
        {needsKey(failure) && location.pathname !== '/operate/system' && (
          <>
            {' '}
            <Link href="/operate/system">Enter it under System.</Link>
          </>
        )}
      </p>
      <p className="state-code">
        {failure.code}
        {failure.status > 0 && ` · HTTP ${failure.status}`}
      </p>
      {retry && (
        <Button onClick={retry} size="s">
          Try again now
        </Button>
      )}
    </div>
  )
}

/** Grey shapes where content comes. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  )
}

/** Draws a resource: its value where there is one (with a note if it is out of date), else skeleton or error. */
export function Loaded<T>({
  what,
  resource,
  children,
  lines,
}: {
  readonly what: string
  readonly resource: Resource<T>
  readonly children: (value: T) => ReactNode
  readonly lines?: number
}) {
  const { value, failure, reload } = resource
  if (value === null)
    return failure ? <ErrorState what={what} failure={failure} retry={reload} /> : <Skeleton lines={lines ?? 3} />
  return (
    <>
      {failure && (
        <p className="stale" role="status">
          <Icon name="cloud-off" /> Not current: {explain(failure)}
        </p>
      )}
      {children(value)}
    </>
  )
}

function needsKey({ status }: Failure): boolean {
  return status === 401 || status === 403
}

function explain({ status, code, message }: Failure): string {
  if (status === 401)
    return code === 'ACCESS_KEY_MISSING'
      ? 'This needs the admin key.'
      : `${asSentence(message)} This needs the admin key.`
  if (status === 403) return `${asSentence(message)} This needs an admin key.`
  if (status === 0 || status === 502 || status === 503 || status === 504)
    return `${message} The page tries again by itself.`
  return message
}

function asSentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1)
  return /[.!?]$/.test(text) ? text : `${text}.`
}
