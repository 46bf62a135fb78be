import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { invalid } from './key-file.ts'

/** Public keys of tokens behind a URL. */
export interface RemoteKeys {
  /** The key of a token, for `jwtVerify`. Rejects with an error that is not of jose if there are no keys. */
  readonly find: JWTVerifyGetKey
  /** Why the newest keys are not in use; null: they are. */
  problem(): string | null
}

/** Keys are fetched again after this time, so that a withdrawn key ends its tokens. */
export const keysFreshMs = 300_000
/** While they cannot be fetched, keys are used at most this long. */
const keysUsableMs = 86_400_000
/** After a failed fetch there is none for this time, whoever asks. */
const pauseMs = 10_000
/** Tokens of unknown keys, which everybody can make, lead to at most one fetch in this time. */
const unknownKeyPauseMs = 30_000
const timeoutMs = 3_000
const maxBytes = 262_144

type LocalKeys = ReturnType<typeof createLocalJWKSet>

/**
 * Creates the keys of a URL. They are fetched when they are needed first. While fetches fail, the last keys stay in use for up to
 * a day. Throws ACCESS_KEYS_INVALID for a text that is not a URL of HTTP.
 */
export function createRemoteKeys(
  url: string,
  { nowMs, onError }: { readonly nowMs: () => number; readonly onError: (error: unknown) => void },
): RemoteKeys {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw invalid('access.jwt.jwksUrl', [`${JSON.stringify(url)} is not a URL with https:// or http://`])
  let keys: LocalKeys | null = null
  let fetchedMs = -Infinity
  let askedMs = -Infinity
  let failure: Error | null = null
  let running: Promise<void> | null = null

  const fetchKeys = async (): Promise<void> => {
    try {
      keys = await keysAt(url)
      fetchedMs = nowMs()
      failure = null
    } catch (error) {
      failure = new Error(`the keys of access.jwt.jwksUrl cannot be fetched: ${(error as Error).message}`, {
        cause: error,
      })
      onError(failure)
    }
  }
  /** Fetches the keys unless somebody did within `pause`. Never rejects. */
  const refresh = async (pause: number): Promise<void> => {
    if (running === null) {
      if (nowMs() - askedMs < pause) return
      askedMs = nowMs()
      running = fetchKeys().finally(() => (running = null))
    }
    await running
  }
  const usable = (): LocalKeys => {
    if (keys !== null && nowMs() - fetchedMs < keysUsableMs) return keys
    throw failure ?? new Error('the keys of access.jwt.jwksUrl are not fetched yet')
  }
  return {
    async find(header, token) {
      if (nowMs() - fetchedMs >= keysFreshMs) {
        const refreshed = refresh(pauseMs)
        // During an outage nobody waits as long as there are keys.
        if (keys === null || failure === null || nowMs() - fetchedMs >= keysUsableMs) await refreshed
      }
      try {
        return await usable()(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        await refresh(unknownKeyPauseMs)
        // The key may be among those that could not be fetched.
        if (failure !== null) throw failure
        return usable()(header, token)
      }
    },
    problem: () => failure?.message ?? null,
  }
}

async function keysAt(url: string): Promise<LocalKeys> {
  const response = await fetch(url, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    throw new Error(`the answer has status ${response.status}`)
  }
  const parts: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop ends the connection.
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    bytes += part.length
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    parts.push(part)
  }
  return createLocalJWKSet(JSON.parse(Buffer.concat(parts).toString()) as Parameters<typeof createLocalJWKSet>[0])
}
