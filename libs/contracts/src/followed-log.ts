import { ContractError } from './errors.ts'
import type { EventLog } from './ports/event-log.ts'
import type { StateStore } from './ports/state-store.ts'

/**
 * Which log a topic's state was folded from. A log that was lost and made again starts at position 0, so positions alone
 * do not show whether an event was folded; the number of the log and the position together do.
 */
export interface FollowedLog {
  /** 0 for the first log; it grows by one each time an operator adopts another log. */
  readonly epoch: number
  /** What the log calls itself (`EventLog.identity`); '': not known. */
  readonly id: string
  /** Records appended before this time, milliseconds since the epoch, were folded already; the updater skips them. */
  readonly sinceMs: number
  /** Number of lost records that an operator has acknowledged, by partition. */
  readonly lost: readonly number[]
}

/** The followed log before anyone adopted another. */
export const firstLog: FollowedLog = { epoch: 0, id: '', sinceMs: 0, lost: [] }

/** The command that adopts a log; errors and readiness name it. */
export const adoptCommand = 'freshet log adopt'

const positionsPerLog = 2 ** 40
const maxEpoch = 2 ** 12 - 1

/**
 * The stored position: one number that encodes a log and a position in it. It grows when a log is adopted, so the store's fence, and
 * the high-water marks of whoever receives what was sent onward, order places of different logs as well.
 * Throws a RangeError beyond 2^40 positions or 4,095 adoptions.
 */
export function storedPosition(epoch: number, position: number): number {
  if (position >= positionsPerLog || epoch > maxEpoch)
    throw new RangeError(`position ${position} of log ${epoch} cannot be stored`)
  return epoch * positionsPerLog + position
}

/** The number of the log that a stored position belongs to. */
export function epochIn(stored: number): number {
  return Math.floor(stored / positionsPerLog)
}

/** The position in its log that a stored position encodes. */
export function positionIn(stored: number): number {
  return stored % positionsPerLog
}

const pointerName = (topic: string): string => `follows.${topic}`

/** Which log the state of a topic follows. Throws CODEC_INVALID where the store holds something else. */
export async function readFollowedLog(store: Pick<StateStore, 'pointer'>, topic: string): Promise<FollowedLog> {
  return parse((await store.pointer(pointerName(topic))) ?? '', topic)
}

/** Replaces the followed log if it is still `expected`; resolves to whether it did. */
export async function moveFollowedLog(
  store: Pick<StateStore, 'pointer' | 'movePointer'>,
  topic: string,
  expected: FollowedLog,
  to: FollowedLog,
): Promise<boolean> {
  const stored = await store.pointer(pointerName(topic))
  const same = JSON.stringify(parse(stored ?? '', topic)) === JSON.stringify(expected)
  return same && store.movePointer(pointerName(topic), stored, JSON.stringify(to))
}

function parse(text: string, topic: string): FollowedLog {
  if (text === '') return firstLog
  try {
    const { epoch, id, sinceMs, lost } = JSON.parse(text) as FollowedLog
    if (Number.isInteger(epoch) && typeof id === 'string' && Number.isFinite(sinceMs) && Array.isArray(lost))
      return { epoch, id, sinceMs, lost }
  } catch {
    // The error below reports it.
  }
  throw new ContractError('CODEC_INVALID', `the state store's pointer ${pointerName(topic)} is damaged: ${text}`)
}

/** Creates LOG_REPLACED: the log is not the one that was followed. `what` describes the evidence. */
export function logReplaced(what: string): ContractError {
  return new ContractError(
    'LOG_REPLACED',
    `${what}; nothing is folded until \`${adoptCommand}\` says that this log is the right one`,
  )
}

/** A short name of a log, for tokens; '': the log has no identity. */
export function logTag(id: string): string {
  if (id === '') return ''
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193) >>> 0
  return hash.toString(36)
}

/** The identity of a topic's log as text; '': the log has none. */
export async function identityOf(log: Pick<EventLog, 'identity'>, topic: string): Promise<string> {
  return (await log.identity(topic)) ?? ''
}
