import { redisPorts } from '@freshet/adapters/testing/redis-server'
import { pass } from '../harness/eventually.ts'
import type { ChaosRow } from './row.ts'
import { seconds } from './seconds.ts'

/** Services that a blender asks for a feed. */
const neededByFeeds = ['candidate-service', 'ranker'] as const

/** What a feed needs hangs or is dead, one by one and all together: every feed must come in time all the same. */
export const rowsOfAllAway: readonly ChaosRow[] = [
  ...neededByFeeds.map(hung),
  {
    name: 'all-hung',
    leastAvailable: 1,
    async inject({ fleet, redis, kafka, scale, recovered }) {
      const kafkaAgain = kafka.pause(scale.hangMs)
      await redis.signal([redisPorts.primary], 'STOP')
      for (const name of neededByFeeds) fleet[name].signal('SIGSTOP')
      await pass(scale.hangMs)
      for (const name of neededByFeeds) fleet[name].signal('SIGCONT')
      await redis.signal([redisPorts.primary], 'CONT')
      await kafkaAgain
      await recovered()
      return `Kafka, Redis, candidate-service and ranker stopped together (SIGSTOP) for ${seconds(scale.hangMs)}: none answered, none hung up`
    },
  },
  {
    name: 'all-dead',
    leastAvailable: 1,
    async inject({ fleet, redis, kafka, scale, recovered }) {
      await Promise.all([
        kafka.kill(),
        redis.signal([redisPorts.primary], 'KILL'),
        ...neededByFeeds.map((name) => fleet[name].kill()),
      ])
      await pass(scale.hangMs)
      await Promise.all([kafka.start(), redis.start(redisPorts.primary)])
      await Promise.all(neededByFeeds.map((name) => fleet[name].start()))
      await recovered()
      return `Kafka, Redis (it comes back empty), candidate-service and ranker killed together (SIGKILL), and started again ${seconds(scale.hangMs)} later`
    },
  },
]

/** Stops the only one: it takes requests and answers none of them. */
function hung(name: (typeof neededByFeeds)[number]): ChaosRow {
  return {
    name: `hung-${name}`,
    leastAvailable: 1,
    async inject({ fleet, scale, recovered }) {
      fleet[name].signal('SIGSTOP')
      await pass(scale.hangMs)
      fleet[name].signal('SIGCONT')
      await recovered()
      return `the only ${name} stopped (SIGSTOP) for ${seconds(scale.hangMs)}: it took requests and answered none`
    },
  }
}
