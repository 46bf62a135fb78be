/**
 * A group member in its own process, which tests kill: `node group-member.ts BROKERS TOPIC GROUP INSTANCE CLIENT`. Writes
 * a line for each batch that it reads.
 */
import { createKafkaEventLog } from '../kafka/event-log.ts'
import type { KafkaClient } from '../kafka/options.ts'
import { createSystemClock } from '../system/clock.ts'

const [brokers = '', topic = '', group = '', groupInstance = '', client = 'kafkajs'] = process.argv.slice(2)
const log = createKafkaEventLog({
  brokers: brokers.split(','),
  client: client as KafkaClient,
  clientId: 'group-member',
  clock: createSystemClock(),
  heartbeatMs: 200,
  groupInstance,
})
await log.readGroup({
  group,
  topics: [topic],
  maxBatchRecords: 100,
  startAt: () => Promise.resolve(0),
  onError: () => undefined,
  onBatch({ partition, next }) {
    process.stdout.write(`${partition} ${next}\n`)
    return Promise.resolve()
  },
})
