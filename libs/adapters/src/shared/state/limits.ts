import { ContractError } from '@freshet/contracts/errors'
import type { StateCommit, StatePut } from '@freshet/contracts/ports/state-store'

/** Limits of a state store, by default the same for every adapter. */
export interface StateLimits {
  /** Bytes of a key as UTF-8. */
  readonly maxKeyBytes: number
  readonly maxValueBytes: number
  /** Bytes of all keys and values of one commit: it is applied in one step, during which the store does nothing else. */
  readonly maxCommitBytes: number
  /** Puts, appends and deletes of one commit. */
  readonly maxCommitKeys: number
}

/** 1 KiB keys, 8 MiB values, 64 MiB and 250,000 keys a commit. */
export const defaultStateLimits: StateLimits = {
  maxKeyBytes: 1024,
  maxValueBytes: 8 << 20,
  maxCommitBytes: 64 << 20,
  maxCommitKeys: 250_000,
}

/** Throws STORE_VALUE_TOO_LARGE for a put over the limits. */
export function checkPut(put: StatePut, limits: StateLimits): void {
  checkKey(put.key, limits)
  checkValue(put.key, put.value.length, limits)
}

/** Throws STORE_VALUE_TOO_LARGE for a key that is too long. */
function checkKey(key: string, limits: StateLimits): void {
  // A UTF-16 unit takes at most three bytes, so short keys need no counting.
  if (key.length * 3 <= limits.maxKeyBytes) return
  const bytes = Buffer.byteLength(key)
  if (bytes > limits.maxKeyBytes) throw tooLarge(`a key of ${bytes} bytes`, limits.maxKeyBytes)
}

/** Throws STORE_VALUE_TOO_LARGE for a commit that is too large as a whole or in a part; nothing of it may be applied. */
export function checkCommit(commit: StateCommit, limits: StateLimits): void {
  const keys = commit.puts.length + commit.appends.length + commit.deletes.length
  if (keys > limits.maxCommitKeys) throw tooLarge(`a commit of ${keys} keys`, limits.maxCommitKeys, 'keys')
  let bytes = commit.meta?.length ?? 0
  checkValue('meta', bytes, limits)
  for (const puts of [commit.puts, commit.appends]) {
    for (const put of puts) {
      checkPut(put, limits)
      bytes += put.key.length + put.value.length
    }
  }
  for (const key of commit.deletes) checkKey(key, limits)
  for (const { hashes } of commit.remember) bytes += hashes.byteLength
  if (bytes > limits.maxCommitBytes) throw tooLarge(`a commit of ${bytes} bytes`, limits.maxCommitBytes)
}

function checkValue(key: string, bytes: number, limits: StateLimits): void {
  if (bytes > limits.maxValueBytes) throw tooLarge(`the value of ${key}, ${bytes} bytes,`, limits.maxValueBytes)
}

function tooLarge(what: string, most: number, unit = 'bytes'): ContractError {
  return new ContractError(
    'STORE_VALUE_TOO_LARGE',
    `${what} is larger than the ${most} ${unit} that the state store takes`,
  )
}
