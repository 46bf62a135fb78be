import { encodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { isContractError } from '@freshet/contracts/errors'
import { maxHeadersBytes } from '@freshet/contracts/headers'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import { maxRecordBytes, topics, type TopicName } from '@freshet/contracts/topics'
import { onwardHeaders } from './onward-headers.ts'

/** A record that is none of the wanted kind, and why. */
export interface BadRecord {
  readonly kind: 'bad'
  readonly record: LogRecord
  readonly code: string
  readonly message: string
}

/** A record that could not be decoded, from what its decoder threw. */
export function badRecord(record: LogRecord, error: unknown): BadRecord {
  return {
    kind: 'bad',
    record,
    code: isContractError(error) ? error.code : 'CODEC_INVALID',
    message: (error instanceof Error ? error.message : String(error)).slice(0, 500),
  }
}

/** Room for the other fields of a dead letter. */
const frameBytes = 4096

/** The dead letter of a bad record: of nothing but the record, so that a repeated one is the same. A value too large to be framed is cut; the source still has it. */
export function deadLetterRecord({ record, code, message }: BadRecord, topic: TopicName, partition: number): NewRecord {
  const value = record.value ?? new Uint8Array(0)
  const room = maxRecordBytes - maxHeadersBytes - frameBytes - 2 * Buffer.byteLength(record.key)
  return {
    key: record.key,
    partition: null,
    ...onwardHeaders(record),
    value: encodeDeadLetter({
      sourceTopic: topic,
      sourcePartition: partition,
      sourcePosition: record.position,
      key: record.key,
      value: value.length > room ? value.subarray(0, Math.max(0, room)) : value,
      code,
      message: value.length > room ? `${message} (value cut from ${value.length} bytes)` : message,
      schema: topics[topic].message,
      atMs: record.appendedAtMs,
    }),
  }
}
