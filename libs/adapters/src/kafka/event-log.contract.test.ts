import { afterAll, describe, test } from 'vitest'
import { eventLogContract } from '../suites/event-log.suite.ts'
import { createSystemClock } from '../system/clock.ts'
import { kafkaServer } from '../testing/kafka-server.ts'
import { createKafkaEventLog } from './event-log.ts'
import { kafkaFaults } from './faults.suite.ts'
import { groupInstances } from './group-instances.suite.ts'
import { kafkaClients } from './options.ts'
import { mixedClients } from './mixed-clients.suite.ts'
import { replacedTopics } from './replaced.suite.ts'
import { compactSoon, expireAll } from './testing.ts'

const server = await kafkaServer()

if ('absent' in server) {
  describe.skip(`event log contract: Kafka (skipped: ${server.absent})`, () => {
    test.todo('needs a broker')
  })
} else {
  const { brokers } = server.target
  afterAll(() => server.stop())
  const clock = createSystemClock()
  mixedClients(brokers)

  describe.each(kafkaClients)('by %s', (client) => {
    const open = (clientId: string) =>
      createKafkaEventLog({ brokers, client, clientId, clock, heartbeatMs: 200, replicationFactor: 1 })

    eventLogContract(`Kafka by ${client}`, async () => {
      const log = open('one')
      const other = open('other')
      return Promise.resolve({
        log,
        other,
        storesElsewhere: true,
        async open(topic) {
          const another = open('another')
          await another.applyTopics([topic])
          return another
        },
        compact: (topic) => compactSoon(brokers, topic),
        expire: ({ name, partitions }) => expireAll(brokers, name, partitions),
        async dispose() {
          await Promise.all([log.close(), other.close()])
        },
      })
    })

    groupInstances(brokers, client)
    replacedTopics(brokers, client)

    const { faults } = server.target
    if (faults === null) {
      describe.skip('event log faults: Kafka (skipped: the broker of FRESHET_TEST_KAFKA is not ours to stop)', () => {
        test.todo('needs a broker in a container')
      })
    } else kafkaFaults(brokers, faults, client)
  })
}
