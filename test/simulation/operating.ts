import { stateScope, servingPointer, type StateFamily } from '@freshet/contracts/scopes'
import type { Random } from '@freshet/domain/clock'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { GenerationError, servingGeneration, switchGeneration } from '@freshet/feature-updater/generations'
import { rebuildState, type RebuildReport } from '@freshet/feature-updater/rebuild'
import type { Scopes } from './reference.ts'
import { persistently, type Scheduler, type SimProcess } from './scheduler.ts'
import type { SimLog } from './sim-log.ts'
import type { SimStore } from './sim-store.ts'
import { simFold } from './workload.ts'

/** The generation that a rebuild in the simulation folds into. */
export const rebuiltGeneration = '2'

interface World {
  readonly process: SimProcess
  readonly log: SimLog
  readonly store: SimStore
  readonly scheduler: Scheduler
}

/** The scopes of the generations that serve. */
export function servingScopes(store: SimStore): Scopes {
  const scopeOf = (family: StateFamily) => stateScope(family, store.pointer(servingPointer(family)) ?? '1')
  return { user: scopeOf('user'), pin: scopeOf('pin') }
}

/** `freshet rebuild` of one family without the switch: started again, where it left off, until it has come to an end. */
export function rebuild(
  world: World,
  family: StateFamily,
  fold: NonNullable<Parameters<typeof updaterConfigOf>[0]>['fold'] & object = simFold,
): Promise<RebuildReport> {
  const { process, log, store, scheduler } = world
  return persistently(() =>
    rebuildState({
      log: log.seenBy(process, scheduler),
      store: store.seenBy(process, scheduler),
      clock: { now: () => 0, sleep: () => Promise.resolve() },
      config: updaterConfigOf({ fold, updater: { haltMinBadRecords: 1000 } }),
      family,
      generation: rebuiltGeneration,
      signal: new AbortController().signal,
      onError: (error) => {
        throw error
      },
    }),
  )
}

/** Answers false where there is nothing to switch to: nothing had come in yet, or the store lost it. */
function switchTo(change: Parameters<typeof switchGeneration>[0]): Promise<boolean> {
  const { store, family, to } = change
  return persistently(async () => {
    try {
      await switchGeneration(change)
      return true
    } catch (error) {
      if (!(error instanceof GenerationError)) throw error
      // It was done, and yet refused, the time before.
      return (await servingGeneration(store, family)) === to
    }
  })
}

/**
 * Somebody rebuilds a family's state while events are under way, switches to it, and goes back and forth a few times.
 * Answers what was wrong: a rebuild that is not identical at equal positions.
 */
export async function operate(world: World, family: StateFamily, random: Random): Promise<readonly string[]> {
  const { process, scheduler } = world
  const store = world.store.seenBy(process, scheduler)
  const log = world.log.seenBy(process, scheduler)
  const problems: string[] = []
  const turns = 1 + Math.floor(random.next() * 5)
  for (let turn = 0; turn < turns; turn++) {
    const from = await persistently(() => servingGeneration(store, family))
    const to = from === rebuiltGeneration ? '1' : rebuiltGeneration
    if (to === rebuiltGeneration) {
      const report = await rebuild(world, family)
      if (!report.identical) problems.push(`rebuilt ${family} state differs: ${report.examples.join()}`)
    }
    if (!(await switchTo({ store, log, family, from, to }))) return problems
    const steps = Math.floor(random.next() * 10)
    for (let step = 0; step < steps; step++)
      await persistently(() => scheduler.call(process, 'look on', () => undefined))
  }
  return problems
}
