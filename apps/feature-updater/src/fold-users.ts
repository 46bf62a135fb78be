import {
  decodeReceivedEngagement,
  encodeLateEngagement,
  encodePinEngagement,
  type ReceivedEngagement,
} from '@freshet/contracts/codecs/onward'
import { recordOutcomes, type PartitionMeta, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { decodeUserState, encodeUserState } from '@freshet/contracts/codecs/user-state'
import { ContractError } from '@freshet/contracts/errors'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StatePut } from '@freshet/contracts/ports/state-store'
import { hash64 } from '@freshet/domain/hash'
import { pinStateKeys } from '@freshet/domain/pin-state'
import {
  foldUser,
  newUserState,
  type AcceptedEngagement,
  type UserLimits,
  type UserState,
} from '@freshet/domain/user-state'
import type { FoldConfig } from './config.ts'
import { badRecord, deadLetterRecord, type BadRecord } from './dead-letter.ts'
import type { FoldBatch, FoldBefore, FoldResult, Stage } from './stage.ts'

/** A record of `engagements.v1` as read. One without value says that its user is to be forgotten. */
export type ParsedEngagement =
  | (ReceivedEngagement & { readonly kind: 'engagement'; readonly record: LogRecord; readonly hash: bigint })
  | { readonly kind: 'tombstone'; readonly record: LogRecord }
  | BadRecord

/** When a user was erased, milliseconds since the epoch; null: not at all. */
export type ErasedAt = (userId: string) => number | null

const encoder = new TextEncoder()

/**
 * The first stage: `engagements.v1` into user state, late ones to `engagements-late.v1`, accepted ones on to
 * `pin-engagements.v1`. In the order of the log, for each record: clamp its time to its receipt; the watermark goes up to
 * it; drop it if its user was erased since; it is late if it is older than the watermark by more than allowed; a remembered id (of this user: clients make them) is a repeat. Late comes before repeats: within the allowed lateness the memory is complete
 * (`allowedLatenessMs ≤ dedupeWindowMs`), so what a record comes to never depends on where batches were cut.
 */
export function createUserStage(config: FoldConfig, erasedAt: ErasedAt): Stage<ParsedEngagement, UserState> {
  const limits = userLimits(config)
  const generationMs = config.dedupeWindowMs / config.dedupeGenerations

  return {
    topic: 'engagements.v1',
    family: 'user',
    parse: ({ records }) => records.map(parse),
    needs(parsed) {
      const keys = new Set<string>()
      const hashes: bigint[] = []
      let badRecords = 0
      for (const item of parsed) {
        if (item.kind === 'bad') badRecords++
        else keys.add(item.record.key)
        if (item.kind === 'engagement') hashes.push(item.hash)
      }
      return { keys: [...keys], hashes: BigUint64Array.from(hashes), badRecords }
    },
    generations(watermarkMs) {
      const newest = Math.floor(watermarkMs / generationMs)
      const kept = Math.min(config.dedupeGenerations, newest) + 1
      return Array.from({ length: kept }, (_, back) => newest - back)
    },
    decode: decodeUserState,
    fold(batch, parsed, before) {
      return foldUserBatch({ batch, parsed, before, config, limits, generationMs, erasedAt })
    },
  }
}

interface UserFold {
  readonly batch: FoldBatch
  readonly parsed: readonly ParsedEngagement[]
  readonly before: FoldBefore<UserState>
  readonly config: FoldConfig
  readonly limits: UserLimits
  readonly generationMs: number
  readonly erasedAt: ErasedAt
}

function foldUserBatch(fold: UserFold): FoldResult<UserState> {
  const { batch, parsed, before, config, limits, generationMs, erasedAt } = fold
  const counts = { ...before.meta.counts }
  const outcomes = Object.fromEntries(recordOutcomes.map((outcome) => [outcome, 0])) as Record<RecordOutcome, number>
  const say = (outcome: RecordOutcome) => {
    counts[outcome]++
    outcomes[outcome]++
  }
  let { watermarkMs } = before.meta
  const accepted = new Map<string, AcceptedEngagement[]>()
  const bases = new Map<string, UserState | null>()
  const rememberedHere = new Map<bigint, number>()
  const late: NewRecord[] = []
  const deadLetters: NewRecord[] = []
  const rekeyed: NewRecord[] = []
  let hashIndex = 0

  for (const item of parsed) {
    const { record } = item
    if (item.kind === 'bad') {
      deadLetters.push(deadLetterRecord(item, 'engagements.v1', batch.partition))
      say('deadLettered')
      continue
    }
    if (item.kind === 'tombstone') {
      say('tombstone')
      const pending = accepted.get(record.key) ?? []
      const base = bases.has(record.key) ? (bases.get(record.key) ?? null) : before.stateOf(record.key)
      const state = pending.length === 0 ? base : foldUser(base ?? newUserState, pending, limits)
      const until = erasedAt(record.key)
      const keeps = until !== null && state !== null && state.firstAtMs > until
      bases.set(record.key, keeps ? state : null)
      accepted.set(record.key, [])
      continue
    }
    const remembered = before.seen[hashIndex++] === 1
    const { receivedAtMs, hash } = item
    const latestMs = receivedAtMs > 0 ? receivedAtMs + config.maxAheadMs : Number.POSITIVE_INFINITY
    const occurredAtMs = Math.min(item.engagement.occurredAtMs, latestMs)
    const engagement =
      occurredAtMs === item.engagement.occurredAtMs ? item.engagement : { ...item.engagement, occurredAtMs }
    const lateByMs = watermarkMs - occurredAtMs
    // Before the erased are left out: a rebuild, which knows of all erasures from the start, must find the same ones late.
    watermarkMs = Math.max(watermarkMs, occurredAtMs)
    const erasedMs = erasedAt(engagement.userId)
    if (erasedMs !== null && occurredAtMs <= erasedMs) {
      say('erased')
      continue
    }
    if (lateByMs > config.allowedLatenessMs) {
      late.push({
        key: record.key,
        partition: null,
        value: encodeLateEngagement({
          engagement,
          receivedAtMs,
          sourcePartition: batch.partition,
          sourcePosition: record.position,
          lateByMs,
        }),
      })
      say('late')
      continue
    }
    if (remembered || rememberedHere.has(hash)) {
      say('duplicate')
      continue
    }
    rememberedHere.set(hash, Math.floor(watermarkMs / generationMs))
    const list = accepted.get(record.key) ?? []
    list.push({ engagement, horizonMs: watermarkMs - config.allowedLatenessMs })
    accepted.set(record.key, list)
    say('applied')
    pinStateKeys(engagement).forEach((key, index) => {
      rekeyed.push({
        key,
        partition: null,
        value: encodePinEngagement({
          engagement,
          receivedAtMs,
          source: { partition: batch.partition, position: record.position, index },
        }),
      })
    })
  }

  const puts: StatePut[] = []
  const deletes: string[] = []
  const states = new Map<string, { readonly state: UserState; readonly bytes: number } | null>()
  for (const [key, engagements] of accepted) {
    const stored = before.stateOf(key)
    const base = bases.has(key) ? (bases.get(key) ?? null) : stored
    if (engagements.length === 0 && base === null) {
      if (stored !== null) deletes.push(key)
      states.set(key, null)
      continue
    }
    const state = foldUser(base ?? newUserState, engagements, limits)
    const value = encodeUserState(state)
    puts.push({ key, value, ttlMs: config.userTtlMs })
    states.set(key, { state, bytes: value.length })
  }
  const meta: PartitionMeta = { watermarkMs, counts, highWaterMarks: before.meta.highWaterMarks }
  return {
    puts,
    deletes,
    remember: byGeneration(rememberedHere, config.dedupeTtlMs),
    meta,
    onward: [
      { topic: 'dead-letters.v1' as const, records: deadLetters },
      { topic: 'engagements-late.v1' as const, records: late },
      { topic: 'pin-engagements.v1' as const, records: rekeyed },
    ].filter(({ records }) => records.length > 0),
    states,
    outcomes,
  }
}

function parse(record: LogRecord): ParsedEngagement {
  if (record.value === null) return { kind: 'tombstone', record }
  try {
    const received = decodeReceivedEngagement(record.value)
    const { userId, eventId } = received.engagement
    if (userId !== record.key) {
      throw new ContractError(
        'CODEC_INVALID',
        `the record's key is ${JSON.stringify(record.key.slice(0, 128))}, its user another`,
      )
    }
    return { kind: 'engagement', record, hash: hash64(encoder.encode(`${userId} ${eventId}`)), ...received }
  } catch (error) {
    return badRecord(record, error)
  }
}

function byGeneration(remembered: ReadonlyMap<bigint, number>, ttlMs: number): FoldResult<UserState>['remember'] {
  const generations = new Map<number, bigint[]>()
  for (const [hash, generation] of remembered) {
    const hashes = generations.get(generation)
    if (hashes === undefined) generations.set(generation, [hash])
    else hashes.push(hash)
  }
  return [...generations].map(([generation, hashes]) => ({ generation, hashes: BigUint64Array.from(hashes), ttlMs }))
}

function userLimits(config: FoldConfig): UserLimits {
  return {
    maxRecentActions: config.maxRecentActions,
    maxRelationsPerKind: config.maxRelationsPerKind,
    maxBoards: config.maxUserBoards,
    seen: {
      maxRecent: config.maxRecentlySeen,
      generationMs: config.seenGenerationMs,
      maxPerGeneration: config.maxSeenPerGeneration,
    },
    sessions: { gapMs: config.sessionGapMs, maxKept: config.maxSessions },
  }
}
