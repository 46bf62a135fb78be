import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { topicLayouts } from '@freshet/contracts/topics'

/** `freshet topics apply`. */
export async function runTopicsApply(given: {
  readonly brokers: string
  readonly partitions: string
  readonly replicationFactor?: string
}): Promise<void> {
  const log = createKafkaEventLog({
    brokers: given.brokers.split(','),
    clientId: 'freshet-topics',
    clock: createSystemClock(),
    replicationFactor: given.replicationFactor === undefined ? null : Number(given.replicationFactor),
  })
  try {
    for (const { name, outcome } of await log.applyTopics(topicLayouts(Number(given.partitions))))
      console.log(`${outcome.padEnd(10)} ${name}`)
  } finally {
    await log.close()
  }
}
