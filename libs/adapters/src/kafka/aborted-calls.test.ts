import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { afterAll, expect, test } from 'vitest'
import { createSystemClock } from '../system/clock.ts'
import { createKafkaEventLog } from './event-log.ts'

// Nothing listens there: without the signal each call would wait for the append timeout.
const log = createKafkaEventLog({
  brokers: ['127.0.0.1:1'],
  clientId: 'test',
  clock: createSystemClock(),
  appendTimeoutMs: 5_000,
})
afterAll(() => log.close())

const reading = { topics: ['t'], maxBatchRecords: 1, onBatch: async () => undefined, onError: () => undefined }
const layout = { name: 't', partitions: 1, cleanup: 'delete', retentionMs: null, maxRecordBytes: 1 << 20 } as const
const record = { key: 'k', value: null, partition: null }

test.each<[keyof EventLog, (call: PortCall) => Promise<unknown>]>([
  ['applyTopics', (call) => log.applyTopics([layout], call)],
  ['partitionCount', (call) => log.partitionCount('t', call)],
  ['identity', (call) => log.identity('t', call)],
  ['starts', (call) => log.starts('t', call)],
  ['ends', (call) => log.ends('t', call)],
  ['append', (call) => log.append('t', [record], call)],
  ['readAll', (call) => log.readAll({ ...reading, startAt: () => null }, call)],
  ['readGroup', (call) => log.readGroup({ ...reading, group: 'g', startAt: async () => null }, call)],
])('while Kafka is away %s ends as soon as its signal is aborted, with the reason', async (_, work) => {
  const stop = new AbortController()
  const reason = new Error('the caller has gone')
  let ended = false
  const outcome = work({ signal: stop.signal }).finally(() => (ended = true))
  outcome.catch(() => undefined)
  await new Promise((resolve) => setImmediate(resolve))
  expect(ended).toBe(false)
  stop.abort(reason)
  await expect(outcome).rejects.toBe(reason)
})
