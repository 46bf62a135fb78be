import { useCallback, useEffect, useRef, useState } from 'react'
import { after } from './browser.ts'
import { asFailure, type Failure } from './http.ts'

/** What a view knows of something it loads. The last value stays while a later attempt fails. */
export interface Resource<T> {
  readonly value: T | null
  /** Why the last attempt failed; null: it did not. */
  readonly failure: Failure | null
  readonly isLoading: boolean
  /** Loads again now. */
  readonly reload: () => void
}

/** Options of `useResource`. */
export interface ResourceOptions {
  /** Load again this long after each answer; absent: only once. */
  readonly everyMs?: number
}

const firstRetryMs = 1_000
const maxRetryMs = 10_000

/**
 * Loads something and keeps it current. After a failure it tries again by itself, at most every 10 s, so a view recovers
 * when its service is back. A change of `key` starts from scratch; null: load nothing.
 */
export function useResource<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs }: ResourceOptions = {},
): Resource<T> {
  const [state, setState] = useState<{ key: string | null; value: T | null; failure: Failure | null }>({
    ...{ key, value: null, failure: null },
  })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load

  useEffect(() => {
    if (key === null) return
    const ending = new AbortController()
    let cancel = (): void => undefined
    let retryMs = firstRetryMs
    const attempt = async (): Promise<void> => {
      try {
        const value = await latest.current(ending.signal)
        if (ending.signal.aborted) return
        retryMs = firstRetryMs
        setState({ key, value, failure: null })
        if (everyMs !== undefined) cancel = after(everyMs, () => void attempt())
      } catch (thrown) {
        if (ending.signal.aborted) return
        const failure = asFailure(thrown)
        setState((last) => ({ key, value: last.key === key ? last.value : null, failure }))
        cancel = after(retryMs, () => void attempt())
        retryMs = Math.min(2 * retryMs, maxRetryMs)
      }
    }
    void attempt()
    return () => {
      ending.abort()
      cancel()
    }
  }, [key, everyMs, turn])

  const reload = useCallback(() => {
    setTurn((last) => last + 1)
  }, [])
  const isCurrent = state.key === key
  const value = isCurrent ? state.value : null
  const failure = isCurrent ? state.failure : null
  return { value, failure, isLoading: key !== null && value === null && failure === null, reload }
}
