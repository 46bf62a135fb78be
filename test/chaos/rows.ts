import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { redisPorts, type RedisFaults } from '@freshet/adapters/testing/redis-server'
import type { KafkaFaults } from '@freshet/adapters/testing/kafka-server'
import type { TcpProxy } from '@freshet/adapters/testing/tcp-proxy'
import type { World } from '../harness/cluster.ts'
import { eventually, pass } from '../harness/eventually.ts'
import type { Load } from '../harness/load.ts'
import { serviceNames, type Fleet, type ServiceName } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { rowsOfAllAway } from './rows-of-all-away.ts'
import { seconds } from './seconds.ts'
import type { SmallDisk } from './small-disk.ts'

/** What a row may do things to. */
export interface Ground {
  readonly world: World
  readonly fleet: Fleet
  readonly load: Load
  readonly kafka: KafkaFaults
  readonly redis: RedisFaults
  /** The way to Redis: what it leads to can be changed. */
  readonly redisProxy: TcpProxy
  readonly disk: SmallDisk | null
  readonly scale: Scale
  /** Waits until the whole path works again; answers how long that took and counts it as a recovery. */
  recovered(): Promise<void>
}

/** How long faults last and how often they come. */
export interface Scale {
  readonly kills: number
  readonly redisPauseMs: number
  readonly kafkaPauseMs: number
  /** How long a service hangs, and how long everything is away. */
  readonly hangMs: number
  readonly clockMs: number
}

/** Lengths of the full form, as they are promised. */
export const fullScale: Scale = {
  kills: 20,
  redisPauseMs: 30_000,
  kafkaPauseMs: 60_000,
  hangMs: 20_000,
  clockMs: 20_000,
}
/** Lengths of the short form. */
export const shortScale: Scale = { kills: 1, redisPauseMs: 5_000, kafkaPauseMs: 6_000, hangMs: 5_000, clockMs: 3_000 }

/** A row: one kind of fault under load. */
export interface ChaosRow {
  readonly name: string
  /** By how much clients' clocks are off, milliseconds. */
  readonly clockShiftsMs?: readonly number[]
  /** Kafka's log is on a small disk. */
  readonly smallDisk?: boolean
  /** Redis is reached by a proxy, whose far end can be changed. */
  readonly redisByProxy?: boolean
  /** Services that run twice, as in production. */
  readonly pairs?: readonly PairedService[]
  /** Share of the feeds that must come in time. */
  readonly leastAvailable?: number
  /** Does it; answers in words what was done. */
  inject(ground: Ground): Promise<string>
  /** What else must hold afterwards; problems. */
  verify?(world: World): Promise<readonly string[]>
}

/** Services that run twice in some rows. */
const pairedServices = ['candidate-service', 'ranker', 'blender'] as const
type PairedService = (typeof pairedServices)[number]

const sessionTimeoutMs = 10_000
const lostTailMs = 1_500
const hourMs = 3_600_000

/** All rows, in the order of the issue. */
export const chaosRows: readonly ChaosRow[] = [
  ...serviceNames.map(killed),
  ...pairedServices.map(oneOfTwoKilled),
  {
    name: 'rolling-restarts',
    pairs: pairedServices,
    leastAvailable: 1,
    async inject({ fleet, scale, recovered }) {
      for (let restart = 0; restart < scale.kills; restart++) {
        const name = pairedServices[restart % pairedServices.length]!
        const both = [fleet[name], fleet.seconds.get(name)!]
        const one = both[Math.floor(restart / pairedServices.length) % 2]!
        await one.stop()
        await one.start()
        await recovered()
      }
      return `${scale.kills} rolling restarts (SIGTERM, start, ready) of one of two blenders, candidate-services and rankers in turn`
    },
  },
  ...rowsOfAllAway,
  {
    name: 'updater-stopped',
    async inject({ fleet, recovered }) {
      const first = fleet['feature-updater']
      const second = await fleet.another('feature-updater')
      await second.start()
      first.signal('SIGSTOP')
      const stoppedMs = sessionTimeoutMs + 4_000
      await pass(stoppedMs)
      first.signal('SIGCONT')
      await recovered()
      await second.stop()
      return `one of two updaters stopped (SIGSTOP) for ${seconds(stoppedMs)}, past its session of ${seconds(sessionTimeoutMs)}, and continued; then the other told to stop`
    },
  },
  {
    name: 'redis-paused',
    async inject({ redis, scale, recovered }) {
      await redis.signal([redisPorts.primary], 'STOP')
      await pass(scale.redisPauseMs)
      await redis.signal([redisPorts.primary], 'CONT')
      await recovered()
      return `Redis stopped (SIGSTOP) for ${seconds(scale.redisPauseMs)}`
    },
  },
  {
    name: 'redis-restarted',
    async inject({ redis, recovered }) {
      await redis.signal([redisPorts.primary], 'KILL')
      await redis.start(redisPorts.primary)
      await recovered()
      return 'Redis killed (SIGKILL) and started again, empty: everything is folded again'
    },
  },
  {
    name: 'redis-replaced',
    redisByProxy: true,
    async inject({ redis, redisProxy, recovered }) {
      const { primary, replica } = redisPorts
      await redis.cli(replica, 'replicaof', '127.0.0.1', String(primary))
      await eventually(
        'the replica follows',
        async () => ((await redis.cli(replica, 'info', 'replication')).includes('master_link_status:up') ? true : null),
        20_000,
      )
      await pass(500)
      await redis.cli(replica, 'replicaof', 'no', 'one')
      await pass(lostTailMs)
      await redis.signal([primary], 'KILL')
      redisProxy.retarget(redis.address(replica))
      await recovered()
      return `Redis killed and replaced by a replica that had missed its last ${seconds(lostTailMs)}`
    },
  },
  {
    name: 'kafka-restarted',
    async inject({ kafka, recovered }) {
      await kafka.kill()
      await kafka.start()
      await recovered()
      return 'Kafka killed (SIGKILL) and started again'
    },
  },
  {
    name: 'kafka-unreachable',
    async inject({ kafka, scale, recovered }) {
      await kafka.pause(scale.kafkaPauseMs)
      await recovered()
      return `Kafka unreachable for ${seconds(scale.kafkaPauseMs)}: it neither answered nor hung up`
    },
  },
  {
    name: 'kafka-disk-full',
    smallDisk: true,
    async inject({ kafka, disk, load, recovered }) {
      if (disk === null) throw new Error('this row needs a small disk')
      const filled = await disk.fill()
      const refusedMs = load.now()
      await eventually('appends refused', () => (load.now() - load.lastAcceptedMs() > 3_000 ? true : null), 60_000)
      const silentMs = load.now() - refusedMs
      await disk.free()
      await kafka.kill().catch(() => undefined)
      await kafka.start()
      await recovered()
      return `the last ${Math.round(filled / 1e6)} MB of Kafka's disk taken until nothing was accepted for 3 s (${seconds(silentMs)}), given back, Kafka started again`
    },
  },
  {
    name: 'clocks-off',
    clockShiftsMs: [hourMs, -hourMs, 0, hourMs],
    async inject({ scale, recovered }) {
      await pass(scale.clockMs)
      await recovered()
      return "clients' clocks an hour ahead, an hour behind, right, an hour ahead"
    },
    async verify({ log }) {
      const off = (await readTopic(log, 'engagements.v1')).flatMap(({ value }) => {
        const { engagement, receivedAtMs } = decodeReceivedEngagement(value ?? new Uint8Array())
        const lateMs = receivedAtMs - engagement.occurredAtMs
        // Those planted as late happened two days ago; nothing waits for minutes in these clients.
        return Math.abs(lateMs) > 60_000 && lateMs < 24 * hourMs ? [{ lateMs, receivedAtMs }] : []
      })
      const ahead = off.filter(({ lateMs }) => lateMs < 0)
      // A clock that is behind looks like a slow network until its client has had an answer: its first request is not corrected.
      const requests = new Set(off.map(({ receivedAtMs }) => receivedAtMs))
      return ahead.length === 0 && requests.size <= 1
        ? []
        : [
            `${off.length} events of ${requests.size} requests are in the log with a time that is off by over a minute, ${ahead.length} of them ahead`,
          ]
    },
  },
]

/** Kills the one and the other in turn, each after the one before is ready again. */
function oneOfTwoKilled(name: PairedService): ChaosRow {
  return {
    name: `kill-one-of-two-${name}s`,
    pairs: [name],
    leastAvailable: 0.999,
    async inject({ fleet, scale, recovered }) {
      for (let kill = 0; kill < scale.kills; kill++) {
        const one = kill % 2 === 0 ? fleet[name] : fleet.seconds.get(name)!
        await one.kill()
        await one.start()
        await recovered()
      }
      return `one of two ${name}s killed (SIGKILL) ${scale.kills} times, each time started again at once`
    },
  }
}

function killed(name: ServiceName): ChaosRow {
  return {
    name: `kill-${name}`,
    async inject({ fleet, scale, recovered }) {
      for (let kill = 0; kill < scale.kills; kill++) {
        await fleet[name].kill()
        await fleet[name].start()
        await recovered()
      }
      return `${name} killed (SIGKILL) ${scale.kills} times, each time started again at once`
    },
  }
}
