import { ContractError } from '@freshet/contracts/errors'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { familyTopic, firstGeneration, servingPointer, stateScope, type StateFamily } from '@freshet/contracts/scopes'

/** A generation that cannot be switched to or dropped. The message says why and what to do. */
export class GenerationError extends ContractError {
  constructor(message: string) {
    super('GENERATION', message)
  }
}

/** The generation that serves. */
export async function servingGeneration(
  store: Pick<StateStore, 'pointer'>,
  family: StateFamily,
  call?: PortCall,
): Promise<string> {
  return (await store.pointer(servingPointer(family), call)) ?? firstGeneration
}

/**
 * Makes another generation serve; with the old one as `to`, rolls back. Updaters and readers notice within their poll.
 * The generation left keeps its state and its position, so going back loses nothing: it catches up from there, a partition
 * in which nothing happens with the next canary.
 * Throws a GenerationError where `from` no longer serves, or `to` holds nothing.
 */
export async function switchGeneration(options: {
  readonly store: Pick<StateStore, 'pointer' | 'movePointer' | 'positions'>
  readonly log: Pick<EventLog, 'partitionCount'>
  readonly family: StateFamily
  readonly from: string
  readonly to: string
  readonly signal?: AbortSignal
}): Promise<void> {
  const { store, log, family, from, to, signal } = options
  const count = await log.partitionCount(familyTopic[family], { signal })
  const positions = await store.positions(stateScope(family, to), partitionsUpTo(count), { signal })
  if (positions.every((position) => position === null)) {
    throw new GenerationError(`generation ${to} of ${family} state holds nothing; run \`freshet rebuild\` first`)
  }
  const pointer = servingPointer(family)
  const stored = await store.pointer(pointer, { signal })
  if ((stored ?? firstGeneration) !== from || !(await store.movePointer(pointer, stored, to, { signal }))) {
    throw new GenerationError(
      `generation ${from} of ${family} state does not serve (any more); it was switched meanwhile`,
    )
  }
}

/** Removes a generation with all that it holds. Throws a GenerationError for the one that serves. */
export async function dropGeneration(options: {
  readonly store: Pick<StateStore, 'pointer' | 'dropScope'>
  readonly log: Pick<EventLog, 'partitionCount'>
  readonly family: StateFamily
  readonly generation: string
  readonly signal?: AbortSignal
}): Promise<void> {
  const { store, log, family, generation, signal } = options
  if ((await servingGeneration(store, family, { signal })) === generation) {
    throw new GenerationError(
      `generation ${generation} of ${family} state serves; switch to another before it is dropped`,
    )
  }
  const count = await log.partitionCount(familyTopic[family], { signal })
  await store.dropScope(stateScope(family, generation), partitionsUpTo(count), { signal })
}

/** 0, 1, … below `count`. */
export function partitionsUpTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, partition) => partition)
}
