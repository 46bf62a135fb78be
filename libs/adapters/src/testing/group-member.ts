/**
 * A member of a group in a process of its own, to be killed: `node group-member.ts BROKERS TOPIC GROUP INSTANCE`. Writes
 * a line for each batch that it reads.
 */
import { createKafkaEventLog } from '../kafka/event-log.ts'
import { createSystemClock } from '../system/clock.ts'

const [brokers = '', topic = '', group = '', groupInstance = ''] = process.argv.slice(2)
const log = createKafkaEventLog({
  brokers: brokers.split(','),
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
