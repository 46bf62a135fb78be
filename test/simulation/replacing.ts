import { logReplaced } from '@freshet/contracts/followed-log'
import { adoptionOf, adoptLog } from '@freshet/feature-updater/adopt'
import { persistently, type Scheduler, type SimProcess } from './scheduler.ts'
import type { SimLog } from './sim-log.ts'
import type { SimStore } from './sim-store.ts'

/** Loses `engagements.v1` when all that it held was folded, and makes it again, empty. What the store had by then it keeps. */
export function replaceLog(log: SimLog, store: SimStore): void {
  log.recreate('engagements.v1')
  store.settle()
}

/** `freshet log adopt`, given again until it has come to an end. */
export function adopt(process: SimProcess, log: SimLog, store: SimStore, scheduler: Scheduler): Promise<void> {
  const seen = { log: log.seenBy(process, scheduler), store: store.seenBy(process, scheduler) }
  const clock = { now: () => 0, sleep: () => Promise.resolve() }
  return persistently(async () => {
    while (!(await adoptLog(seen.store, await adoptionOf({ ...seen, clock }, 'user'), 0)));
  })
}

/** Reads a partition as a broker lets one: where the log is another one than at the start, nothing comes. */
export function cutOf(log: SimLog, topic: string, id: string): void {
  if (log.id(topic) !== id) throw logReplaced(`${topic} is another log than the one that was read`)
}
