import { createLogger } from '@freshet/service/logging'
import { createMetrics } from '@freshet/service/metrics'
import { createReporter } from '@freshet/service/reporting'
import { ContractError } from '@freshet/contracts/errors'
import { expect, test } from 'vitest'
import { aBlender } from './blender.harness.ts'
import { createFeedObserver } from './feed-metrics.ts'

const person = 'person-4711-of-the-test'
const defect = (): never => {
  throw new TypeError('broken by the test')
}
const away = (): never => {
  throw new ContractError('CALL_UNAVAILABLE', 'the service does not answer')
}

/** The blender's log lines about a user whose requests meet a fault. */
async function linesOf(breaks: (made: Awaited<ReturnType<typeof aBlender>>) => unknown): Promise<string> {
  const made = await aBlender()
  const lines: string[] = []
  const logger = createLogger({
    name: 'blender',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  })
  const metrics = createMetrics()
  const observer = createFeedObserver(metrics, createReporter({ logger, metrics, clock: made.clock }))
  await breaks(made)
  const requests = [{ userId: person }, { userId: person, sessionId: person }, { userId: `${person} with blanks` }]
  for (const request of requests) await made.feed(request).catch(() => undefined)
  await made.related({ userId: person, pinId: person }).catch(() => undefined)
  await made.settle(made.blender.flush())
  for (const record of made.records) observer.ran(record)
  for (const { what, error } of made.events) {
    if (what.startsWith('feed-lost')) observer.feedLost(1, 'log', error)
    else observer.failed(what as Parameters<typeof observer.failed>[0], error)
  }
  return lines.join('')
}

test.each<[string, Parameters<typeof linesOf>[0]]>([
  ['a defect of the candidate service', ({ services }) => (services.retrieve = defect)],
  ['a defect of the ranker', ({ services }) => (services.rank = defect)],
])('log lines name no user, with %s', async (_, breaks) => {
  const lines = await linesOf(breaks)
  expect(lines).not.toBe('')
  expect(lines).not.toContain(person)
})

test('log lines name no user whose state nobody can read', async () => {
  const lines = await linesOf(({ store }) =>
    Promise.all(
      [0, 1, 2, 3].map((partition) => {
        const put = { key: person, value: Uint8Array.of(255, 255, 255), ttlMs: null }
        const nothing = { appends: [], deletes: [], meta: null, remember: [] }
        return store.commit({ scope: 'user.1', partition, from: 0, next: 1, puts: [put], ...nothing })
      }),
    ),
  )
  expect(lines).not.toContain(person)
})

test('log lines name no user while everything is away', async () => {
  const lines = await linesOf(({ services, faults }) => {
    services.retrieve = away
    services.rank = away
    faults.store = () => Promise.reject(new ContractError('STORE_UNAVAILABLE', 'the store does not answer'))
  })
  expect(lines).not.toContain(person)
})
