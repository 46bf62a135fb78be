import type { PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import { encodeMergeRequest } from '@freshet/contracts/codecs/user-merge'
import { idFault, isJsonObject, kindOf } from '@freshet/contracts/json/fields'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { parseTime, timeFault } from '@freshet/contracts/json/time'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import type { IngestConfig } from './config.ts'
import { correctTime } from './event-time.ts'

/** A merge as a client asks for it. Ids are not checked yet. */
export interface MergeOfUsers {
  readonly fromUserId: string
  readonly intoUserId: unknown
  /** When the person became known, milliseconds since the epoch; null: now. */
  readonly occurredAtMs: number | null
}

/** What the checks of events need. */
export interface Checking {
  readonly config: IngestConfig
  readonly pseudonymOf: PseudonymOf
  /** The problem with what a user did at this time; null: the user was not erased since. */
  readonly erasedBefore: (userId: string, atMs: number, at: string, field: string) => IngestProblem | null
}

/** The record of a merge, or everything that is wrong with it. */
export function checkMerge(
  { fromUserId, intoUserId, occurredAtMs }: MergeOfUsers,
  nowMs: number,
  { config, pseudonymOf, erasedBefore }: Checking,
): { readonly record: NewRecord } | { readonly problems: readonly IngestProblem[] } {
  const problems: IngestProblem[] = []
  const checkId = (field: string, id: unknown): id is string => {
    const fault = idFault(id)
    if (fault !== null) problems.push(problemAt('', field, fault.code, fault.text))
    return fault === null
  }
  const atMs = occurredAtMs === null ? nowMs : correctTime(occurredAtMs, '', { nowMs, shiftMs: 0 }, config)
  if (typeof atMs !== 'number') problems.push(atMs)
  if (checkId('fromUserId', fromUserId) && intoUserId === fromUserId)
    problems.push(problemAt('', 'intoUserId', 'MERGE_SAME_USER', 'is the user who is merged; give the id of another'))
  if (!checkId('intoUserId', intoUserId) || typeof atMs !== 'number' || problems.length > 0) return { problems }
  const [from, into] = [pseudonymOf(fromUserId), pseudonymOf(intoUserId)]
  const erased = erasedBefore(from, atMs, '', 'fromUserId') ?? erasedBefore(into, atMs, '', 'intoUserId')
  if (erased !== null) return { problems: [erased] }
  const value = encodeMergeRequest({ fromUserId: from, intoUserId: into, occurredAtMs: atMs, receivedAtMs: nowMs })
  return { record: { key: from, value, partition: null } }
}

/** Reads the body of `POST /v1/users/{id}/merge`: `{"intoUserId": …}`, with `occurredAt` if the person became known earlier. */
export function readMergeBody(fromUserId: string, body: unknown): MergeOfUsers | IngestProblem {
  const wanted = 'send {"intoUserId": "…"}'
  if (!isJsonObject(body)) {
    const found = body === undefined ? 'empty' : kindOf(body)
    return { code: 'BODY_SHAPE', field: '', message: `the body is ${found}; ${wanted}` }
  }
  const { intoUserId, occurredAt, ...others } = body
  const odd = Object.keys(others)[0]
  if (odd !== undefined) {
    const text = 'is not a field of a merge; fields are intoUserId, occurredAt'
    return problemAt('', odd.slice(0, 64).toWellFormed(), 'EVENT_FIELD_UNKNOWN', text)
  }
  const fault = occurredAt === undefined ? null : timeFault(occurredAt)
  if (fault !== null) return problemAt('', 'occurredAt', fault.code, fault.text)
  return { fromUserId, intoUserId, occurredAtMs: occurredAt === undefined ? null : parseTime(occurredAt as string) }
}
