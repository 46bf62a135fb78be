import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writingAs } from './origin.ts'
import type { AppendOptions, EventLog } from './ports/event-log.ts'
import { version } from '@freshet/domain/version'

function aLog() {
  const calls: AppendOptions[] = []
  const log: Pick<EventLog, 'append'> = {
    append: async (_topic, records, options = {}) => {
      calls.push(options)
      return records.map(() => ({ partition: 0, position: 0 }))
    },
  }
  return { log: log as EventLog, calls }
}
const record = { key: 'k', value: null, partition: null }

test('every append carries its writer and the schema version, in one object per topic', async () => {
  const { log, calls } = aLog()
  const writer = writingAs(log, 'blender', '1.2.3')
  await writer.append('pins.v1', [record])
  await writer.append('pins.v1', [record])
  await writer.append('a topic of others', [record])
  expect(calls[0]?.headers).toEqual({ origin: 'blender/1.2.3', schema: '3' })
  expect(calls[1]?.headers).toBe(calls[0]?.headers)
  expect(Object.isFrozen(calls[0]?.headers)).toBe(true)
  expect(calls[2]?.headers).toEqual({ origin: 'blender/1.2.3' })
})

test('the headers of an append replace the standard ones, and its signal is passed on', async () => {
  const { log, calls } = aLog()
  const { signal } = new AbortController()
  await writingAs(log, 'blender', '1').append('pins.v1', [record], {
    headers: { schema: '9', traceparent: 'x' },
    signal,
  })
  expect(calls).toEqual([{ headers: { origin: 'blender/1', schema: '9', traceparent: 'x' }, signal }])
})

test('the version is the package version', () => {
  const file = join(import.meta.dirname, '../../../package.json')
  expect(version).toBe((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version)
})
