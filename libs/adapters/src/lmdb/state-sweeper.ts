import type { Clock } from '@freshet/domain/clock'
import type { BytesDatabase } from './environment.ts'
import { endOfPrefix, kindOf, stateKeyKind } from './state-keys.ts'
import { expiryIn } from './state-values.ts'

/** Removes expired entries in slices, in proportion to writes. */
export interface StateSweeper {
  /** Within a write transaction: after a number of written entries, checks twice as many stored ones. */
  wrote(entries: number): void
}

const SLICE = 256

/** Creates a sweeper that cycles over all keys. It removes a generation's ids before the generation's record. */
export function createStateSweeper(values: BytesDatabase, ids: BytesDatabase, clock: Clock): StateSweeper {
  let owed = 0
  let cursor: Uint8Array = new Uint8Array([0])

  const sweepSlice = (): void => {
    const nowMs = clock.now()
    const keys = [...values.getKeys({ start: cursor, limit: SLICE })]
    for (const key of keys) {
      cursor = key
      const kind = kindOf(key)
      if (kind === stateKeyKind.position) continue
      const stored = values.getBinaryFast(key)
      if (stored === undefined || expiryIn(stored) > nowMs) continue
      // The sweep stays here until the generation is empty.
      if (kind === stateKeyKind.generation && removeIds(key) > 0) return
      void values.remove(key)
    }
    if (keys.length < SLICE) cursor = new Uint8Array([0])
  }

  const removeIds = (generationKey: Uint8Array): number => {
    const found = [...ids.getKeys({ start: generationKey, end: endOfPrefix(generationKey), limit: SLICE })]
    for (const id of found) void ids.remove(id)
    return found.length
  }

  return {
    wrote(entries) {
      owed += 2 * entries
      for (; owed >= SLICE; owed -= SLICE) sweepSlice()
    },
  }
}
