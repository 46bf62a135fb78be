import { openTcpProxy } from '@freshet/adapters/testing/tcp-proxy'
import { openCluster } from '../harness/cluster.ts'
import { pass } from '../harness/eventually.ts'
import { postPins, startLoad, wholePathWorks, type FeedFigures, type Load } from '../harness/load.ts'
import { consultOracle, settled, type OracleReport } from '../harness/oracle.ts'
import { startFleet } from '../harness/processes.ts'
import { createSentFile } from '../harness/sent-file.ts'
import type { ChaosRow, Ground, Scale } from './row.ts'
import { clockShift } from './service-clock.ts'
import { createSmallDisk } from './small-disk.ts'
import { openWays } from './ways.ts'

/** What a row came to. */
export interface RowResult {
  readonly name: string
  readonly injected: string
  readonly oracle: OracleReport
  /** Feeds from the injection until the path worked again. */
  readonly feeds: FeedFigures
  /** Feeds before the injection. */
  readonly feedsBefore: FeedFigures
  /** From the end of each injection until an event was seen in a full feed, milliseconds. */
  readonly recoveriesMs: readonly number[]
  /** What was in the way most often during the longest of them; empty: nothing. */
  readonly obstacle: string
  readonly load: LoadReached
  readonly problems: readonly string[]
}

/** The load that there really was, from its start to its last answer. */
export interface LoadReached {
  /** Events accepted and feeds answered in time a second, faults included. */
  readonly eventsPerSecond: number
  readonly feedsPerSecond: number
  /** What the load generator itself took of one core. */
  readonly generatorCores: number
  readonly seconds: number
}

/** A load and the lengths of faults. */
export interface RowOptions {
  readonly scale: Scale
  readonly eventsPerSecond: number
  readonly feedsPerSecond: number
  readonly users: number
  readonly seed: number
  /** Whether stages of feeds get more time than by default: for machines that are busy with other tests. */
  readonly patient: boolean
  /** How often the row's fault is injected into the same servers and services. */
  readonly repeats: number
}

const patience = {
  FRESHET_BLENDER_USER_STATE_BUDGET_MS: '400',
  FRESHET_BLENDER_AWAIT_BUDGET_MS: '800',
  FRESHET_BLENDER_RETRIEVE_BUDGET_MS: '400',
  FRESHET_BLENDER_RANK_BUDGET_MS: '400',
  FRESHET_BLENDER_RECORD_BUDGET_MS: '400',
}

const pins = 1_000
const diskMegabytes = 384

/** Why there is nothing to run rows on. */
export interface Absent {
  readonly absent: string
}

/** Runs one row on servers and services of its own. */
export async function runRow(row: ChaosRow, options: RowOptions): Promise<RowResult | Absent> {
  const disk = row.smallDisk === true ? await createSmallDisk(diskMegabytes) : null
  const cluster = await openCluster({ ...(disk !== null && { dataVolume: disk.volume }), brokers: row.brokers ?? 1 })
  if ('absent' in cluster) return cluster
  const kafka = cluster.kafka.faults
  const redis = cluster.redis.faults
  if (kafka === null || redis === null) {
    await cluster.stop()
    return { absent: 'the servers named by the environment are not ours to stop' }
  }
  const redisProxy = await openTcpProxy(redis.address(6379))
  const world = await (row.redisByProxy === true
    ? cluster.fresh(`redis://127.0.0.1:${redisProxy.port}`)
    : cluster.fresh())
  const file = createSentFile()
  const { brokers, redisUrl, keyPrefix } = world
  const env = { FRESHET_REDIS_KEY_PREFIX: keyPrefix, FRESHET_LOG_LEVEL: 'warn' }
  const ways = await openWays(row.ways ?? [], redis.address(6379))
  const envOf = { ...clockShift(row.serviceClocksMs ?? {}) }
  envOf.blender = { ...envOf.blender, ...(options.patient ? patience : {}), ...ways.blenderEnv }
  const starting = startFleet({
    brokers,
    redisUrl,
    env,
    envOf,
    pairs: row.pairs ?? [],
    wayTo: ways.wayTo,
    ...(row.folderOf && { folderOf: row.folderOf }),
  })
  const close = async (): Promise<void> => {
    await starting.then(
      (started) => started.stop(),
      () => undefined,
    )
    await world.close()
    await redisProxy.close()
    await ways.close()
    await cluster.stop()
    await disk?.remove()
    file.remove()
  }

  try {
    const fleet = await starting
    await postPins(fleet.ingestUrl, pins)
    const cpuBefore = process.cpuUsage()
    const startedMs = performance.now()
    const load = startLoad({
      ...options,
      fleet,
      file,
      pins,
      userPrefix: 'u',
      clockShiftsMs: row.clockShiftsMs ?? [0],
      lateShare: 0.005,
      repeatShare: 0.01,
    })
    try {
      await pass(1_000)
      await wholePathWorks(fleet, file, 60_000)
      const warmMs = load.now()
      await pass(2_000)
      const fromMs = load.now()
      const recoveriesMs: number[] = []
      let toMs = fromMs
      let obstacle = ''
      const ground: Ground = {
        world,
        fleet,
        load,
        kafka,
        redis,
        redisProxy,
        disk,
        ways: ways.proxies,
        scale: options.scale,
        async recovered() {
          const endedMs = load.now()
          const inTheWay = await wholePathWorks(fleet, file, 120_000)
          toMs = load.now()
          if (toMs - endedMs > Math.max(0, ...recoveriesMs)) obstacle = inTheWay
          recoveriesMs.push(toMs - endedMs)
        },
      }
      let injected = ''
      for (let time = 0; time < options.repeats; time++) injected = await row.inject(ground)
      await load.finish(120_000)
      const reached = loadReached(load, (performance.now() - startedMs) / 1000, process.cpuUsage(cpuBefore))
      await settled(world, 120_000)
      const oracle = await consultOracle(world, file)
      const feeds = load.figures(fromMs, toMs)
      const problems = [
        ...oracle.problems,
        ...((await row.verify?.(world, load)) ?? []),
        ...(feeds.availability < (row.leastAvailable ?? 0)
          ? [`${(100 * feeds.availability).toFixed(2)} % of ${feeds.asked} feeds came in time`]
          : []),
      ]
      return {
        name: row.name,
        injected,
        oracle,
        feeds,
        feedsBefore: load.figures(warmMs, fromMs),
        recoveriesMs,
        obstacle,
        load: reached,
        problems,
      }
    } finally {
      await load.abandon()
    }
  } catch (error) {
    const logs = await starting.then(
      (started) => started.logs().slice(-20_000),
      () => '',
    )
    throw new Error(`${row.name}: ${(error as Error).message}\n${logs}`, { cause: error })
  } finally {
    await close()
  }
}

function loadReached(load: Load, seconds: number, cpu: NodeJS.CpuUsage): LoadReached {
  return {
    eventsPerSecond: load.accepted() / seconds,
    feedsPerSecond: load.samples().filter(({ answered }) => answered).length / seconds,
    generatorCores: (cpu.user + cpu.system) / 1e6 / seconds,
    seconds,
  }
}
