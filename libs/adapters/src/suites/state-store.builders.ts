import { isContractError } from '@freshet/contracts/errors'
import type { StateCommit } from '@freshet/contracts/ports/state-store'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** UTF-8 of a text. */
export function bytes(value: string): Uint8Array {
  return encoder.encode(value)
}

/** Decodes UTF-8; null stays null. */
export function text(value: Uint8Array | null | undefined): string | null {
  return value == null ? null : decoder.decode(value)
}

/** A commit from nothing to position 1 of `user.1`, partition 0, that changes nothing else. */
export function aCommit(change: Partial<StateCommit>): StateCommit {
  return {
    scope: 'user.1',
    partition: 0,
    from: 0,
    next: 1,
    puts: [],
    appends: [],
    deletes: [],
    meta: null,
    remember: [],
    ...change,
  }
}

/** A fold query without ends of values. */
export const noEnds = { keys: [], bytes: 0 } as const

/** All rows of all pages. */
export async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const rows: T[] = []
  for await (const page of pages) rows.push(...page)
  return rows
}

/** Retries while it throws an assertion error or STORE_UNAVAILABLE; after the deadline throws the last error. */
export async function eventually<T>(attempt: () => Promise<T>, deadlineMs = 15_000): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const passing = isContractError(error, 'STORE_UNAVAILABLE') || (error as Error).name === 'AssertionError'
      if (!passing || performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** A value to be put or appended; `ttlMs` null: it never expires. */
export function put(key: string, value: string, ttlMs: number | null = null) {
  return { key, value: bytes(value), ttlMs }
}
