import type { StateStore } from '@freshet/contracts/ports/state-store'
import { cursorKeyPointer } from '@freshet/contracts/scopes'
import type { Clock, Random } from '@freshet/domain/clock'
import type { BlenderConfig } from './config.ts'
import { createPageTokens, type PageTokens } from './page-token.ts'

/** The keys of page tokens. */
export interface CursorKeys {
  readonly tokens: () => PageTokens
  /** Agrees with the other blenders on a key. Throws the errors of the state store; until it succeeds, other blenders refuse this one's tokens. */
  agree(): Promise<void>
  /** Agrees again and again until the signal is aborted, in case the state store lost the key. */
  run(signal: AbortSignal): Promise<void>
}

const againMs = 30_000

/** Uses the key of the settings. Without one, the blenders agree on a random key in the state store: the first one that starts proposes its own. */
export function createCursorKeys({
  store,
  clock,
  random,
  config: { cursorKey, previousCursorKey },
  onError,
}: {
  readonly store: Pick<StateStore, 'pointer' | 'movePointer'>
  readonly clock: Clock
  readonly random: Random
  readonly config: Pick<BlenderConfig, 'cursorKey' | 'previousCursorKey'>
  readonly onError: (error: unknown) => void
}): CursorKeys {
  const own = cursorKey ?? newKey(random)
  const previous = previousCursorKey === null ? [] : [previousCursorKey]
  let current = own
  let tokens = createPageTokens([own, ...previous])

  async function agree(): Promise<void> {
    if (cursorKey !== null) return
    const proposed = async () => ((await store.movePointer(cursorKeyPointer, null, current)) ? current : null)
    const agreed =
      (await store.pointer(cursorKeyPointer)) ?? (await proposed()) ?? (await store.pointer(cursorKeyPointer))
    if (agreed === null || agreed === current) return
    tokens = createPageTokens([agreed, ...previous, own, current])
    current = agreed
  }

  return {
    tokens: () => tokens,
    agree,
    async run(signal) {
      if (cursorKey !== null) return
      while (!signal.aborted) {
        await clock.sleep(againMs, signal).catch(() => undefined)
        if (!signal.aborted) await agree().catch(onError)
      }
    },
  }
}

/** A key of 156 random bits. */
function newKey(random: Random): string {
  return Array.from({ length: 3 }, () => Math.floor(random.next() * 2 ** 52).toString(36)).join('.')
}
