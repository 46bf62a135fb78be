import { eventLogContract } from '../suites/event-log.suite.ts'
import { createMemoryEventLog } from './event-log.ts'

eventLogContract('memory', () => {
  const log = createMemoryEventLog()
  return Promise.resolve({
    log,
    other: log,
    storesElsewhere: false,
    // A log in memory has only one handle, so a test that closes it needs another log.
    async open(topic) {
      const another = createMemoryEventLog()
      await another.applyTopics([topic])
      return another
    },
    compact: () => Promise.resolve(log.compact()),
    async expire(topic) {
      await log.applyTopics([{ ...topic, retentionMs: 1 }])
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.compact()
    },
    dispose: () => log.close(),
  })
})
