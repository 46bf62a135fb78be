import { ContractError, isContractError } from '@freshet/contracts/errors'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../memory/clock.ts'
import { withDefaults } from './options.ts'
import { createRetrying } from './retrying.ts'

function aRetrying() {
  const clock = createVirtualClock()
  const closing = new AbortController()
  const settings = withDefaults({ brokers: ['b:1'], clientId: 'c', clock, appendTimeoutMs: 1_000 })
  const persistently = createRetrying(settings, closing.signal)
  const outcome = async <T>(work: () => Promise<T>): Promise<unknown> => {
    let ended = false
    const done = persistently('asking', work)
      .catch((error: unknown) => error)
      .finally(() => (ended = true))
    for (let step = 0; step < 100 && !ended; step++) await clock.advance(25)
    return done
  }
  return { clock, closing, outcome }
}

const never = new Promise<never>(() => undefined)

describe('retrying', () => {
  test('ends with the first answer', async () => {
    let tries = 0
    const { outcome } = aRetrying()
    const answer = await outcome(() => (++tries < 3 ? Promise.reject(new Error('away')) : Promise.resolve('here')))
    expect([answer, tries]).toEqual(['here', 3])
  })

  test('ends immediately with an error of the catalogue', async () => {
    let tries = 0
    const { outcome } = aRetrying()
    const missing = new ContractError('LOG_TOPIC_MISSING', 'no such topic')
    expect(await outcome(() => (tries++, Promise.reject(missing)))).toBe(missing)
    expect(tries).toBe(1)
  })

  test('reports the last failure, even if the deadline interrupts a later attempt', async () => {
    let tries = 0
    const { outcome } = aRetrying()
    const error = await outcome(() => (++tries < 5 ? Promise.reject(new Error('wants a login')) : never))
    expect(isContractError(error, 'LOG_UNAVAILABLE')).toBe(true)
    expect((error as Error).message).toBe('Kafka (b:1): asking: wants a login')
  })

  test('reports that nobody answered if there was no other failure', async () => {
    const { outcome } = aRetrying()
    expect(String(await outcome(() => never))).toContain('no answer within 1000 ms')
  })

  test('ends when the log is closed', async () => {
    const { outcome, closing } = aRetrying()
    const error = await outcome(() => {
      closing.abort()
      return Promise.reject(new Error('cut'))
    })
    expect(isContractError(error, 'LOG_CLOSED')).toBe(true)
  })
})
