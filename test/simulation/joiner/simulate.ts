import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { noHeaders } from '@freshet/contracts/headers'
import type { EventLog, LogBatch, LogRecord } from '@freshet/contracts/ports/event-log'
import { partitionOf } from '@freshet/domain/partition'
import { trainerSchema } from '@freshet/trainer/config'
import { createJoinerJob, type JoinerJob } from '@freshet/trainer/joiner/joiner-job'
import { SimulatedFault } from '../scheduler.ts'
import { createSimArtefacts, type ArtefactUser } from './sim-artefacts.ts'
import { doubledRows, joinerViolations, type Logged } from './violations.ts'
import { drawWorkload, simWindows } from './workload.ts'

/** What one seed came to. */
export interface SimulatedJoiner {
  readonly seed: number
  /** Empty: the laws held. */
  readonly violations: readonly string[]
  readonly records: number
  readonly crashes: number
  readonly spilled: number
  /** What was done, in order. */
  readonly trace: readonly string[]
}

const partitions = 2
const joined = ['feeds-served.v1', 'engagements.v1'] as const
const afterEverythingMs = 1_100_000

interface Process extends ArtefactUser {
  readonly job: JoinerJob
  /** First position that it was not given yet, by topic and partition. */
  readonly read: Map<string, number>
}

/**
 * Runs the joiner through one history drawn from the seed, in lockstep: records reach the log, batches of any length come in any
 * order of partitions, calls to the files fail, and the process dies at a call or between two batches. At the end everything is
 * read, and the rows in the files are compared with the law.
 */
export async function simulateJoiner(seed: number): Promise<SimulatedJoiner> {
  const random = createSeededRandom(seed)
  const clock = createVirtualClock(1_000_000)
  const due = [...drawWorkload(random)]
  const records = new Map(
    joined.map((topic) => [topic as string, Array.from({ length: partitions }, (): LogRecord[] => [])]),
  )
  const of = (topic: string, partition: number): LogRecord[] => records.get(topic)?.[partition] ?? []
  const logged: Logged[] = []
  const stormy = random.next() * 0.1
  const artefacts = createSimArtefacts(random, { refused: stormy, crash: stormy })
  const negativeRate = random.next() < 0.5 ? 1 : 0.5
  const settings = {
    ...trainerSchema.parse({}).joiner,
    ...simWindows,
    negativeRate,
    maxSegmentRows: 1 + Math.floor(random.next() * 12),
    maxMemoryBytes: random.next() < 0.5 ? 700 : 1 << 20,
  }
  const config = { ...trainerSchema.parse({}), joiner: settings }
  const trace: string[] = []
  const violations: string[] = []
  let crashes = 0
  let spilled = 0

  const log: Pick<EventLog, 'partitionCount' | 'identity' | 'ends'> = {
    partitionCount: () => Promise.resolve(partitions),
    identity: () => Promise.resolve('sim'),
    ends: (topic) => Promise.resolve(Array.from({ length: partitions }, (_, p) => of(topic, p).length)),
  }
  const boot = (): Process => {
    const user = artefacts.boot()
    const job = createJoinerJob({
      log: log as EventLog,
      clock,
      config,
      artefacts: user.artefacts,
      onError: (error) => violations.push(`reported: ${error.message}`),
    })
    return { ...user, job, read: new Map() }
  }
  let process = boot()

  function append(untilMs: number): void {
    for (let next = due[0]; next !== undefined && next.atMs <= untilMs; next = due[0]) {
      due.shift()
      const { topic, record, what } = next
      const partition = partitionOf(record.key, partitions)
      const list = of(topic, partition)
      const { key, value } = record
      list.push({ position: list.length, key, value, appendedAtMs: clock.now(), headers: noHeaders })
      logged.push({ ...what, arrivedMs: clock.now() })
    }
  }

  /** Lets the process work; a process that dies is replaced by another, which reads from where its checkpoint is. */
  async function work(what: string, doing: (job: JoinerJob) => Promise<void>): Promise<boolean> {
    trace.push(what)
    const { job, died } = process
    try {
      const isDead = await Promise.race([doing(job).then(() => false), died.then(() => true)])
      spilled += job.stats()?.waiting.spilled ?? 0
      if (!isDead) return true
    } catch (error) {
      if (!(error instanceof SimulatedFault)) throw error
      trace.push(`${what} was refused`)
      return false
    }
    crash('at a call')
    return false
  }

  function crash(where: string): void {
    trace.push(`crash ${where}`)
    crashes++
    process = boot()
  }

  async function deliver(topic: string, partition: number): Promise<void> {
    const { read } = process
    const at = `${topic}/${partition}`
    // The reader of a new process begins somewhere before what was committed: here at the beginning.
    const from = read.get(at) ?? 0
    const end = of(topic, partition).length
    const next = Math.min(end, from + 1 + Math.floor(random.next() * 4))
    if (next === from) return
    const batch: LogBatch = { topic, partition, from, next, end, records: of(topic, partition).slice(from, next) }
    if (await work(`read ${at} ${from}–${next}`, (job) => job.fold(batch))) read.set(at, next)
  }

  async function deliverAll(): Promise<void> {
    for (let isBehind = true; isBehind;) {
      isBehind = false
      for (const topic of joined) {
        for (let partition = 0; partition < partitions; partition++) {
          if ((process.read.get(`${topic}/${partition}`) ?? 0) >= of(topic, partition).length) continue
          isBehind = true
          await deliver(topic, partition)
        }
      }
    }
  }

  while (due.length > 0) {
    const draw = random.next()
    if (draw < 0.25) {
      await clock.advance(Math.floor(random.next() * 150))
      append(clock.now())
    } else if (draw < 0.75)
      await deliver(joined[Math.floor(random.next() * 2)] ?? '', Math.floor(random.next() * partitions))
    else if (draw < 0.88) await work('advance', (job) => job.advance())
    else if (draw < 0.97) await work('checkpoint', (job) => job.checkpoint())
    else if (draw < 0.985) crash('between two batches')
    else violations.push(...(await doubledRows(artefacts.files)))
  }
  artefacts.calm()
  await deliverAll()
  await clock.set(afterEverythingMs)
  await work('advance', (job) => job.advance())
  await work('checkpoint', (job) => job.checkpoint())
  const stats = process.job.stats()
  violations.push(
    ...(await joinerViolations({
      logged,
      files: artefacts.files,
      stats,
      windows: simWindows,
      negativeRate,
      seed: settings.seed,
    })),
  )
  return { seed, violations, records: logged.length, crashes, spilled, trace }
}
