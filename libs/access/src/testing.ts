import { accessSettings, type AccessConfig } from './settings.ts'
import { z } from 'zod'
import { parseKeyFile, type KeyEntry, type KeyFile, type KeyKind } from './key-file.ts'
import { newKey, type NewKey } from './new-key.ts'

/** The time of the tests. */
export const testTimeMs = Date.UTC(2026, 0, 31, 12)

/** Bytes that look random and are the same in every run. */
export function countingBytes(): (bytes: number) => Uint8Array {
  let state = 1
  return (bytes) =>
    Uint8Array.from({ length: bytes }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    })
}

/** A key of a kind, with its entry changed by `change`. */
export function aKey(
  kind: KeyKind,
  change: Partial<NewKey> & { readonly revokedAt?: string } = {},
  random = countingBytes(),
): { readonly text: string; readonly entry: KeyEntry } {
  const { revokedAt, ...about } = change
  const key = newKey(
    { kind, project: 'shop', origins: [], createdAtMs: testTimeMs, expiresAtMs: null, ...about },
    random,
  )
  return revokedAt === undefined ? key : { ...key, entry: { ...key.entry, revokedAt } }
}

/** A key file with entries, as a process would read it. */
export function aKeyFile(...entries: readonly KeyEntry[]): KeyFile {
  return parseKeyFile(JSON.stringify({ version: 1, keys: entries }), 'keys.json')
}

/** The settings of a process, changed by `change`. */
export function accessConfig(change: object = {}): AccessConfig {
  const { jwt = {}, ...others } = change as { readonly jwt?: object }
  return z.object(accessSettings).parse({ ...others, jwt })
}

/** The code of the AccessError that `act` throws or rejects with; `none`: it does not. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'none'
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}
