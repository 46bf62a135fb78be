import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { pass } from '../harness/eventually.ts'
import { readTopic } from '../harness/read-topic.ts'
import type { ChaosRow, Way } from './row.ts'
import { seconds } from './seconds.ts'

const minuteMs = 60_000
/** How long a slow process works, and how long it stands still, in turn. */
const slow = { worksMs: 100, standsMs: 900 }

/** Services that run but cannot reach each other, are slow, or have clocks of their own. */
export const rowsOfWays: readonly ChaosRow[] = [
  ...(['candidate-service', 'ranker', 'redis'] as const).map(partitioned),
  {
    name: 'slow-updater',
    async inject({ fleet, scale, load, recovered }) {
      const untilMs = load.now() + scale.hangMs
      const accepted = load.accepted()
      while (load.now() < untilMs) {
        fleet['feature-updater'].signal('SIGSTOP')
        await pass(slow.standsMs)
        fleet['feature-updater'].signal('SIGCONT')
        await pass(slow.worksMs)
      }
      const taken = load.accepted() - accepted
      await recovered()
      return `the only feature-updater worked ${slow.worksMs} ms of each second for ${seconds(scale.hangMs)}, while ${taken} events were accepted`
    },
  },
  {
    name: 'service-clocks-off',
    serviceClocksMs: {
      'event-ingest': 2 * minuteMs,
      'feature-updater': -2 * minuteMs,
      'candidate-service': 5 * minuteMs,
      blender: -5 * minuteMs,
    },
    async inject({ scale, recovered }) {
      await pass(scale.clockMs)
      await recovered()
      return 'the clocks of event-ingest, feature-updater, candidate-service and blender 2 min ahead, 2 min behind, 5 min ahead and 5 min behind'
    },
    async verify({ log }) {
      const records = await readTopic(log, 'engagements.v1')
      const received = records.map(({ value }) => decodeReceivedEngagement(value ?? new Uint8Array()).receivedAtMs)
      const aheadMs = received.reduce((newest, at) => Math.max(newest, at), 0) - Date.now()
      return aheadMs > minuteMs
        ? []
        : [`the clock of event-ingest was not ahead: its newest time is ${aheadMs} ms from ours`]
    },
  },
]

/** Nothing passes between the blender and one other, and nobody hangs up; connections of before stay silent for good. */
function partitioned(way: Way): ChaosRow {
  return {
    name: `partition-blender-${way}`,
    ways: [way],
    leastAvailable: 1,
    async inject({ ways, scale, recovered }) {
      const proxy = ways.get(way)
      if (proxy === undefined) throw new Error(`there is no way from the blender to ${way}`)
      proxy.freeze()
      await pass(scale.hangMs)
      proxy.thaw()
      await recovered()
      return `the network between blender and ${way} cut for ${seconds(scale.hangMs)}: both ran, nothing passed, open connections never came back`
    },
  }
}
