import { describe } from 'vitest'
import { logAppendContract } from './event-log-append.suite.ts'
import { logCallsContract } from './event-log-calls.suite.ts'
import { logGroupContract } from './event-log-group.suite.ts'
import { logHeadersContract } from './event-log-headers.suite.ts'
import { logReadersContract } from './event-log-readers.suite.ts'
import { logRetentionContract } from './event-log-retention.suite.ts'
import { createEventLogWorld, type EventLogFixture } from './event-log.world.ts'

/** What every event log promises, whatever it is made of. */
export function eventLogContract(name: string, makeFixture: () => Promise<EventLogFixture>): void {
  describe(`event log contract: ${name}`, () => {
    const world = createEventLogWorld(makeFixture)
    logCallsContract(world)
    logAppendContract(world)
    logHeadersContract(world)
    logReadersContract(world)
    logRetentionContract(world)
    logGroupContract(world)
  })
}
