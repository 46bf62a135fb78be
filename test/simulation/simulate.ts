import { createSeededRandom } from '@freshet/adapters/memory/random'
import { isContractError } from '@freshet/contracts/errors'
import type { BatchVerdict, LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import { stateScope } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import { partitionOf } from '@freshet/domain/partition'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { createUpdater, type Updater } from '@freshet/feature-updater/updater'
import { readErasures } from './erasing.ts'
import { replayLetters, writeDeadLetter } from './dead-letters.ts'
import { operate, rebuild, rebuiltGeneration, servingScopes } from './operating.ts'
import { violations } from './reference.ts'
import { adopt, cutOf, replaceLog } from './replacing.ts'
import { rebuiltViolations, violationsWithErasures } from './reference-erased.ts'
import { createScheduler, SimulatedFault, type SimProcess } from './scheduler.ts'
import { createSimLog } from './sim-log.ts'
import { createSimStore } from './sim-store.ts'
import { violationsWithMerges } from './reference-merged.ts'
import { createWorkload, mergedUsers, mergingFold, simFold } from './workload.ts'

/** What one seed came to. */
export interface Simulated {
  readonly seed: number
  /** Empty: the law held. */
  readonly violations: readonly string[]
  readonly events: number
  readonly crashes: number
  /** Times a process was told that the stored position is elsewhere. */
  readonly moves: number
  /** What ran, in order: the last lines explain a failure. */
  readonly trace: readonly string[]
}

interface Instance extends SimProcess {
  readonly updater: Updater
  /** Resolves when it knows of the erasures that there were when it started: before, it folds nothing. */
  loaded: Promise<void>
}

/** A command that somebody gave. */
interface Command extends SimProcess {
  done: boolean
}

/** Something in a process that reads one partition. It goes on for a while after losing it, as a zombie does. */
interface Pump {
  readonly instance: Instance
  readonly at: TopicPartition
  active: boolean
}

const partitions = 2
const readTopics = ['engagements.v1', 'pin-engagements.v1'] as const
const maxSteps = 20_000
/** Users are merged in each history whose seed is a multiple of this. */
const mergingEvery = 4
/** Share of the others in which users are erased. */
const erasingShare = 0.35
/** Share of the rest in which state is rebuilt, and switched back and forth. */
const switchingShare = 0.85
/** Share of the rest in which the log is lost and made again. */
const replacingShare = 0.7
/** Share of these others in which dead letters of an older version are replayed. */
const replayingShare = 0.3

const clock: Clock = { now: () => 0, sleep: () => new Promise(() => undefined) }

/**
 * Runs the updater through one history drawn from the seed: a few processes on a log and a store that refuse, half do and
 * forget, while processes crash at any await, stall and wake as zombies, and partitions move. Then it calms down, what is
 * left is folded, and the law is checked.
 */
export async function simulate(seed: number): Promise<Simulated> {
  const random = createSeededRandom(seed)
  const pick = <T>(values: readonly T[]): T | undefined => values[Math.floor(random.next() * values.length)]
  const log = createSimLog(partitions, random)
  const store = createSimStore()
  const events = 10 + Math.floor(random.next() * 40)
  const stormy = random.next()
  const merging = seed % mergingEvery === 0
  const workload = createWorkload(random, merging ? mergedUsers : undefined)
  const fold = merging ? mergingFold : simFold
  const erasing = random.next() < erasingShare && !merging
  const switching = !erasing && !merging && random.next() < switchingShare
  const switched = pick(['user', 'pin'] as const) ?? 'user'
  const replaying = !erasing && !merging && random.next() < replayingShare
  const replacing = !erasing && !merging && !switching && !replaying && random.next() < replacingShare
  const faults = { refused: 0.04 * stormy, doneButRefused: 0.04 * stormy, crash: 0.03 * stormy }
  const problems: string[] = []
  const pumps = new Set<Pump>()
  const instances: Instance[] = []
  let crashes = 0
  let calm = false
  let over = false
  let moves = 0
  let started = 0
  const operators: Command[] = []
  const replays: Command[] = []
  const adopters: Command[] = []
  let deadLetters = 0
  let replayed = 0

  const scheduler = createScheduler(random, faults, (process) => {
    crashes++
    for (const pump of pumps) if (pump.instance === process) pumps.delete(pump)
  })

  const boot = (): Instance => {
    const process: SimProcess = { name: `i${started++}`, dead: false, pausedSteps: 0 }
    const updater = createUpdater({
      log: log.seenBy(process, scheduler),
      store: store.seenBy(process, scheduler),
      clock,
      config: updaterConfigOf({
        fold,
        updater: {
          cacheBytes: random.next() < 0.3 ? 3000 : 1 << 20,
          haltMinBadRecords: 1000,
          // As while updaters of before are being replaced: both forms stand in one log.
          onward: random.next() < 0.15 ? 'events' : 'batches',
        },
      }),
      observer: {
        committed: () => undefined,
        moved: () => {
          moves++
        },
      },
    })
    const instance: Instance = Object.assign(process, { updater, loaded: Promise.resolve() })
    if (erasing) {
      const onError = (error: Error) => problems.push(`${instance.name} threw ${error.stack}`)
      const isSlow = () => !calm && random.next() < 0.9
      instance.loaded = readErasures({ process: instance, log, scheduler, over: () => over, isSlow, onError })
    }
    instances.push(instance)
    return instance
  }

  const run = async (pump: Pump): Promise<void> => {
    const { instance, at } = pump
    let position: number | null = null
    let id = ''
    await instance.loaded
    while (pump.active) {
      try {
        // A reader starts again where its log was replaced, and when another one was adopted.
        if (log.epoch(at.topic) > 0 && random.next() < 0.2) position = null
        if (position === null) id = log.id(at.topic)
        position ??= (await instance.updater.startAt(at)) ?? 0
        const batch: LogBatch | null = await scheduler.call(
          instance,
          `poll ${at.topic}/${at.partition} from ${position}`,
          (fate) => (fate === 'done' ? log.cut(at, position ?? 0) : null),
        )
        cutOf(log, at.topic, id)
        if (batch === null || !pump.active) continue
        const verdict: BatchVerdict =
          at.topic === 'engagements.v1'
            ? await instance.updater.handleUserBatch(batch)
            : await instance.updater.handlePinBatch(batch)
        position = verdict?.seekTo ?? batch.next
      } catch (error) {
        if (replacing && isContractError(error, 'LOG_REPLACED')) position = null
        else if (!(error instanceof SimulatedFault)) {
          problems.push(`${instance.name} threw ${(error as Error).stack}`)
          return
        }
      }
    }
  }

  const give = (at: TopicPartition): void => {
    const instance = pick(living().length < 2 ? [...living(), boot()] : living())
    if (instance === undefined) return
    const pump: Pump = { instance, at, active: true }
    pumps.add(pump)
    void run(pump)
  }
  const take = (pump: Pump): void => {
    pump.active = false
    pumps.delete(pump)
    pump.instance.updater.revoke(pump.at)
  }
  const all = readTopics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  const holders = (at: TopicPartition) => [...pumps].filter((pump) => pump.at === at)

  /** What a rebuild comes to, that knows of all erasures and handovers from its start. */
  async function rebuilt(): Promise<readonly string[]> {
    const process: SimProcess = { name: 'rebuild', dead: false, pausedSteps: 0 }
    let ended = false
    const work = rebuild({ process, log, store, scheduler }, 'user', fold).finally(() => (ended = true))
    work.catch(() => undefined)
    const most = scheduler.trace.length + maxSteps
    // Where nothing is left to do and it has not ended, it never will.
    for (let idle = 0; !ended && idle < 100 && scheduler.trace.length < most;) {
      if (await scheduler.step()) idle = 0
      else {
        idle++
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    if (!ended) return ['a rebuild does not end']
    const { identical, examples } = await work
    if (merging) return identical ? [] : [`rebuilt user state differs: ${examples.join()}`]
    return rebuiltViolations(log, store, stateScope('user', rebuiltGeneration))
  }

  /** The one who rebuilds and switches; after a crash another one takes over. */
  const startOperator = (): void => {
    const started = { name: `operator${operators.length}`, dead: false, pausedSteps: 0, done: false }
    operators.push(started)
    operate({ process: started, log, store, scheduler }, switched, random)
      .then((wrong) => problems.push(...wrong))
      .catch((error: unknown) => problems.push(`${started.name} threw ${(error as Error).stack}`))
      .finally(() => (started.done = true))
  }
  /** The process that replays dead letters. After a crash, or for new letters, another one replays all of them again. */
  const startReplay = (): void => {
    const started = { name: `replay${replays.length}`, dead: false, pausedSteps: 0, done: false }
    replays.push(started)
    replayed = deadLetters
    replayLetters(started, log, scheduler)
      .catch((error: unknown) => problems.push(`${started.name} threw ${(error as Error).stack}`))
      .finally(() => (started.done = true))
  }
  /** The one who adopts the log that was made again; after a crash another one takes over. */
  const startAdopting = (): void => {
    const started = { name: `adopter${adopters.length}`, dead: false, pausedSteps: 0, done: false }
    adopters.push(started)
    adopt(started, log, store, scheduler)
      .catch((error: unknown) => problems.push(`${started.name} threw ${(error as Error).stack}`))
      .finally(() => (started.done = true))
  }
  const isGone = (command: Command | undefined): boolean => command === undefined || command.dead
  const isAt = (command: Command | undefined): boolean => command !== undefined && !command.dead && !command.done
  const finished = async (commands: readonly Command[]): Promise<void> => {
    while (isAt(commands.at(-1)) && scheduler.trace.length < maxSteps) await scheduler.step()
  }
  const askWhatServes = (instance: Instance): void => {
    instance.updater.refreshPointers().catch((error: unknown) => {
      if (!(error instanceof SimulatedFault)) problems.push(`${instance.name} threw ${(error as Error).stack}`)
    })
  }
  const living = () => instances.filter(({ dead }) => !dead)

  const drain = async (): Promise<void> => {
    // A store that lost its tail, or another generation that serves, is noticed at the next record, as is what was folded of an erased user meanwhile, and then
    // the tombstones have to be folded: canaries see to it that there is a record everywhere, again and again.
    for (let round = 0; round < (erasing || merging ? 3 : switching ? 2 : 1); round++) {
      for (const userId of canaries.users) {
        for (const creatorId of canaries.creators) log.write('engagements.v1', [workload.canary(userId, creatorId)])
      }
      for (const at of all) if (holders(at).length === 0) give(at)
      // Over once there was nothing but polls for long: everything that waits has a fair chance to be next.
      let idle = 0
      while (idle < 10 * pumps.size + 50 && scheduler.trace.length < maxSteps) {
        const before = scheduler.trace.length
        await scheduler.step()
        const ran = scheduler.trace.slice(before)
        idle = ran.every((line) => line.includes(' poll ')) ? idle + (ran.length > 0 ? 1 : 5) : 0
      }
    }
  }

  let sent = 0
  /** Lets everything go wrong until so many events were sent, and a while longer. */
  const storm = async (until: number): Promise<void> => {
    while (sent < until || random.next() < 0.97) {
      if (sent < until && random.next() < 0.25) {
        log.write('engagements.v1', [workload.next()])
        sent++
      }
      if (merging && random.next() < 0.04) log.write('engagements.v1', [workload.merge()])
      if (erasing && random.next() < 0.08) log.write('erasures.v1', [workload.erasure()])
      if (switching && random.next() < 0.25 && isGone(operators.at(-1))) startOperator()
      if (replaying && random.next() < 0.02) writeDeadLetter(log, workload.unsent(), deadLetters++, random)
      if (replaying && random.next() < 0.03 && !isAt(replays.at(-1))) startReplay()
      if (adopters.length > 0 && random.next() < 0.1 && isGone(adopters.at(-1))) startAdopting()
      const asking = (switching || adopters.length > 0) && random.next() < 0.03 ? pick(living()) : undefined
      if (asking !== undefined) askWhatServes(asking)
      for (const at of all) if (holders(at).length === 0) give(at)
      const draw = random.next()
      const at = pick(all)
      if (at !== undefined && draw < 0.02) give(at)
      else if (at !== undefined && draw < 0.06) {
        const [first, ...others] = holders(at)
        if (first !== undefined && others.length > 0) take(first)
      } else if (at !== undefined && draw < 0.06 + 0.02 * stormy) {
        const family = at.topic === 'engagements.v1' ? 'user' : 'pin'
        const generation = switching && random.next() < 0.5 ? rebuiltGeneration : '1'
        store.loseTail(stateScope(family, generation), at.partition, random)
      } else if (draw < 0.1) {
        const paused = pick(living())
        if (paused !== undefined) paused.pausedSteps = Math.floor(random.next() * 30)
      }
      await scheduler.step()
      if (scheduler.trace.length > maxSteps) break
    }
  }
  await storm(replacing ? Math.ceil(events / 2) : events)
  if (replacing) {
    scheduler.calm()
    await drain()
    replaceLog(log, store)
    scheduler.storm()
    startAdopting()
    await storm(events)
  }
  scheduler.calm()
  calm = true
  if (replacing) {
    if (isGone(adopters.at(-1))) startAdopting()
    await finished(adopters)
    for (const instance of living()) askWhatServes(instance)
  }
  if (switching) {
    if (isGone(operators.at(-1))) startOperator()
    await finished(operators)
    for (const instance of living()) askWhatServes(instance)
  }
  if (replaying) {
    await finished(replays)
    // One that has ended did all that it found, so it is not done again.
    if (isGone(replays.at(-1)) || deadLetters > replayed) startReplay()
    await finished(replays)
  }
  await drain()
  over = true
  for (const pump of pumps) pump.active = false
  const law = erasing
    ? [...violationsWithErasures(log, store), ...(await rebuilt())]
    : merging
      ? [...violationsWithMerges(log, store, servingScopes(store)), ...(await rebuilt())]
      : violations(log, store, servingScopes(store))
  return {
    seed,
    violations: [...problems, ...law],
    events,
    crashes,
    moves,
    trace: scheduler.trace,
  }
}

/** Users, and creators as the second stage keys them, one to a partition. */
const canaries = {
  users: Array.from({ length: partitions }, (_, partition) => inPartition(partition, (id) => id)),
  creators: Array.from({ length: partitions }, (_, partition) => inPartition(partition, (id) => `creator ${id}`)),
}

function inPartition(partition: number, keyOf: (id: string) => string): string {
  for (let number = 0; ; number++)
    if (partitionOf(keyOf(`canary${number}`), partitions) === partition) return `canary${number}`
}
