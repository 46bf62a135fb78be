import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { redisPorts } from '@freshet/adapters/testing/redis-server'
import { eventually, pass } from '../harness/eventually.ts'
import { serviceNames, type ServiceName } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { pairedServices, type ChaosRow, type PairedService } from './row.ts'
import { rowsOfAllAway } from './rows-of-all-away.ts'
import { rowsOfWays } from './rows-of-ways.ts'
import { seconds } from './seconds.ts'

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
  ...rowsOfWays,
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
    name: 'one-of-three-brokers-lost',
    brokers: 3,
    async inject({ kafka, scale, recovered }) {
      await kafka.kill()
      await recovered()
      await pass(scale.kafkaPauseMs)
      await kafka.start()
      await recovered()
      return `one of three brokers killed (SIGKILL), started again after the path worked without it for ${seconds(scale.kafkaPauseMs)}; each record needs two`
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
    name: 'redis-restored',
    async inject({ redis, load, recovered }) {
      await redis.cli(redisPorts.primary, 'save')
      const before = load.accepted()
      await pass(lostTailMs)
      const later = load.accepted() - before
      await redis.signal([redisPorts.primary], 'KILL')
      await redis.start(redisPorts.primary)
      await recovered()
      return `Redis killed and restored from its file of ${seconds(lostTailMs)} before: ${later} events were accepted in between`
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
