import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isContractError } from '@freshet/contracts/errors'
import type { ErrorCode } from '@freshet/contracts/errors'
import type { LogBatch, NewRecord, TopicLayout, TopicPartition } from '@freshet/contracts/ports/event-log'
import { expect } from 'vitest'

/** The UTF-8 bytes of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** The text of a record's value; null where it has none. */
export const text = (value: Uint8Array | null): string | null =>
  value === null ? null : new TextDecoder().decode(value)
/** A partition as a key of maps. */
export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

/** A record for a given partition, or for its key's. */
export function aRecord(value: string | null, { key = 'k', partition = null as number | null } = {}): NewRecord {
  return { key, value: value === null ? null : bytes(value), partition }
}

/** Polls a condition until it holds; fails after `deadlineMs` with the description of the condition. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  for (const end = performance.now() + deadlineMs; !(await holds());) {
    if (performance.now() > end) throw new Error(`gave up waiting after ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Fails unless the work rejects with this code. */
export async function expectCode(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await work.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  )
  expect(isContractError(error, code), `${String(error)} is not ${code}`).toBe(true)
}

let topicNumber = 0

/** A topic that no other test uses. */
export function aTopic(overrides: Partial<TopicLayout> = {}): TopicLayout {
  return {
    name: `t${Date.now().toString(36)}-${topicNumber++}`,
    partitions: 4,
    cleanup: 'delete',
    retentionMs: null,
    maxRecordBytes: 1 << 20,
    ...overrides,
  }
}

/** The records of one partition, in the order in which they were handed out. */
export const recordsOf = (batches: readonly LogBatch[], partition: number): readonly LogBatch['records'][number][] =>
  batches.filter((batch) => batch.partition === partition).flatMap((batch) => batch.records)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Used memory that could hold records. */
export function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
