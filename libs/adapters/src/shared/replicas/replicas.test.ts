import { ContractError } from '@freshet/contracts/errors'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../memory/clock.ts'
import { createCircuitBreaker, type BreakerState } from './circuit-breaker.ts'
import { createReplicatedCall, type ReplicaEvent, type ResilienceOptions } from './replicated-call.ts'
import { createRetryBudget } from './retry-budget.ts'

type Fate = { readonly afterMs: number; readonly error?: ContractError['code'] }

/** Replicas whose fates a test sets, in virtual time. */
function aService(fates: Record<string, Fate>, given: Partial<ResilienceOptions> = {}) {
  const clock = createVirtualClock(0)
  const [sent, cancelled] = [[] as string[], [] as string[]]
  const events: ReplicaEvent[] = []
  const replicas = Object.keys(fates).map((name) => ({
    name,
    call: (_request: string, { signal }: CallOptions): Promise<string> => {
      const fate = fates[name]!
      sent.push(name)
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => {
          cancelled.push(name)
          reject(new ContractError('CALL_CANCELLED', 'ended'))
        })
        const answer = () => (fate.error === undefined ? resolve(name) : reject(new ContractError(fate.error, name)))
        clock.sleep(fate.afterMs).then(answer, () => {})
      })
    },
  }))
  const options = {
    extraShare: 0.1,
    minHedgeMs: 20,
    breakerFailures: 3,
    breakerOpenMs: 200,
    onEvent: (event: ReplicaEvent) => events.push(event),
    ...given,
  }
  const callClock = {
    nowMs: () => clock.now(),
    after(ms: number, callback: () => void) {
      const stop = new AbortController()
      clock.sleep(ms, stop.signal).then(callback, () => {})
      return () => stop.abort()
    },
  }
  const call = createReplicatedCall(replicas, options, callClock)
  /** The answer or the code of the error. */
  async function ask(timeoutMs = 1_000): Promise<string> {
    let outcome: string | null = null
    call('', { timeoutMs }).then(
      (answer) => (outcome = answer),
      (error: unknown) => (outcome = (error as ContractError).code),
    )
    for (let i = 0; outcome === null && i < 5_000; i++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (outcome === null) await clock.advance(1)
    }
    return outcome ?? 'nothing'
  }
  return { clock, call, ask, fates, sent, cancelled, events }
}

const statesOf = (events: readonly ReplicaEvent[]) =>
  events.flatMap((event) => (event.kind === 'breaker' ? [event.state] : []))

describe('a call to replicas', () => {
  test('goes to each of them in turn', async () => {
    const { ask, events } = aService({ a: { afterMs: 1 }, b: { afterMs: 1 } })
    expect([await ask(), await ask(), await ask()]).toEqual(['a', 'b', 'a'])
    expect(events).toEqual([])
  })

  test('goes to another one if one cannot be reached', async () => {
    const { ask, events } = aService({ a: { afterMs: 0, error: 'CALL_UNAVAILABLE' }, b: { afterMs: 1 } })
    expect(await ask()).toBe('b')
    expect(events).toEqual([{ kind: 'retried', replica: 'b' }])
  })

  test('goes to another one after the usual time, and cancels the slower', async () => {
    const { ask, clock, sent, cancelled } = aService({ a: { afterMs: 500 }, b: { afterMs: 5 } })
    expect(await ask()).toBe('b')
    expect([sent, cancelled]).toEqual([['a', 'b'], ['a']])
    expect(clock.now()).toBeLessThan(30)
  })

  test('waits longer before it hedges if calls usually take longer', async () => {
    const { ask, fates, events } = aService({ a: { afterMs: 60 }, b: { afterMs: 60 } }, { extraShare: 1 })
    for (let i = 0; i < 32; i++) await ask()
    events.length = 0
    Object.assign(fates, { a: { afterMs: 55 }, b: { afterMs: 55 } })
    await ask()
    expect(events).toEqual([])
  })

  test('passes on errors that another replica would answer too, and does not send again', async () => {
    const { ask, sent } = aService({ a: { afterMs: 1, error: 'CALL_INVALID_ARGUMENT' }, b: { afterMs: 1 } })
    expect(await ask()).toBe('CALL_INVALID_ARGUMENT')
    expect(sent).toEqual(['a'])
  })

  test('a dead replica costs a call at most once in a while: its breaker opens and probes', async () => {
    const { ask, sent, fates, events, clock } = aService({
      a: { afterMs: 0, error: 'CALL_UNAVAILABLE' },
      b: { afterMs: 1 },
    })
    for (let i = 0; i < 40; i++) expect(await ask()).toBe('b')
    expect(sent.filter((name) => name === 'a')).toHaveLength(3)
    expect(statesOf(events)).toEqual(['open'])
    fates['a'] = { afterMs: 1 }
    await clock.advance(200)
    const answers = [await ask(), await ask(), await ask(), await ask()]
    expect(answers.filter((name) => name === 'a').length).toBeGreaterThanOrEqual(1)
    expect(statesOf(events)).toEqual(['open', 'half-open', 'closed'])
  })

  test('retries have a budget of their own: hedges do not use it up', async () => {
    const never = 1_000_000
    const { ask, fates, events } = aService(
      { a: { afterMs: never }, b: { afterMs: 1 } },
      { extraShare: 0, breakerFailures: never },
    )
    while (!events.some(({ kind }) => kind === 'out-of-budget')) await ask(50)
    expect(events.filter(({ kind }) => kind === 'hedged')).toHaveLength(20)
    fates['a'] = { afterMs: 0, error: 'CALL_UNAVAILABLE' }
    for (let i = 0; i < 80; i++) expect(await ask()).toBe('b')
    expect(events.filter(({ kind }) => kind === 'retried')).toHaveLength(40)
  })

  test('a replica that hangs opens its breaker though its hedges answer, and probes do not keep it closed', async () => {
    const { ask, sent, events, clock } = aService(
      { a: { afterMs: 100_000 }, b: { afterMs: 1 } },
      { extraShare: 1, breakerFailures: 3 },
    )
    for (let i = 0; i < 40; i++) expect(await ask()).toBe('b')
    expect(sent.filter((name) => name === 'a')).toHaveLength(3)
    await clock.advance(200)
    for (let i = 0; i < 40; i++) expect(await ask()).toBe('b')
    expect(sent.filter((name) => name === 'a')).toHaveLength(4)
    expect(statesOf(events)).toEqual(['open', 'half-open', 'open'])
  })

  test('with no replica left one call at a time asks each; the others are rejected at once', async () => {
    const dead = { afterMs: 0, error: 'CALL_UNAVAILABLE' } as const
    const { ask, call, sent, fates } = aService({ a: dead, b: dead })
    for (let i = 0; i < 10; i++) expect(await ask()).toBe('CALL_UNAVAILABLE')
    fates['a'] = fates['b'] = { afterMs: 100_000 }
    const before = sent.length
    const outcomes: string[] = []
    for (let i = 0; i < 5; i++)
      call('', { timeoutMs: 1_000 }).catch((error: unknown) => outcomes.push((error as ContractError).code))
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(sent.slice(before).toSorted()).toEqual(['a', 'b'])
    expect(outcomes).toEqual(Array(3).fill('CALL_UNAVAILABLE'))
  })

  test('a replica that is back is asked as soon as the others are gone, although its breaker is open', async () => {
    const dead = { afterMs: 0, error: 'CALL_UNAVAILABLE' } as const
    const { ask, fates, clock } = aService({ a: dead, b: { afterMs: 1 } })
    for (let i = 0; i < 400; i++) {
      expect(await ask()).toBe('b')
      await clock.advance(20)
    }
    fates['a'] = { afterMs: 1 }
    fates['b'] = dead
    for (let i = 0; i < 10; i++) expect(await ask()).toBe('a')
  })

  test('a hedge does not probe a replica whose breaker is open', async () => {
    const { ask, sent, fates } = aService({ a: { afterMs: 0, error: 'CALL_UNAVAILABLE' }, b: { afterMs: 1 } })
    for (let i = 0; i < 10; i++) expect(await ask()).toBe('b')
    const before = sent.length
    fates['b'] = { afterMs: 100 }
    expect(await ask()).toBe('b')
    expect(sent.slice(before)).toEqual(['b'])
  })

  test('the caller that ends its call ends both', async () => {
    const { call, clock, cancelled } = aService({ a: { afterMs: 500 }, b: { afterMs: 500 } })
    const stop = new AbortController()
    const ended = call('', { timeoutMs: 1_000, signal: stop.signal }).catch(
      (error: unknown) => (error as ContractError).code,
    )
    for (let ms = 0; ms < 30; ms++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      await clock.advance(1)
    }
    stop.abort()
    expect(await ended).toBe('CALL_CANCELLED')
    expect(cancelled.sort()).toEqual(['a', 'b'])
  })

  test('a law: extra calls never exceed the budget, and every call gets the answer of a replica that works', async () => {
    const fate = fc.oneof(
      fc.record({ afterMs: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ afterMs: fc.integer({ min: 0, max: 5 }), error: fc.constant('CALL_UNAVAILABLE' as const) }),
    )
    const law = fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 30 }), async (fatesOfA) => {
      const { ask, fates, sent } = aService({ a: fatesOfA[0]!, b: { afterMs: 3 } }, { extraShare: 0.1 })
      for (const [at, now] of fatesOfA.entries()) {
        fates['a'] = now
        const answer = await ask()
        expect(['a', 'b']).toContain(answer)
        expect(sent.length).toBeLessThanOrEqual(at + 1 + 120 + 2 * 0.1 * (at + 1))
      }
    })
    await fc.assert(law, { seed: 2, numRuns: 30 })
  })
})

describe('a retry budget', () => {
  test('a law: spends at most its burst and its share of the calls', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (steps) => {
        const budget = createRetryBudget({ share: 0.1, burst: 5 })
        let [earned, spent] = [0, 0]
        for (const isCall of steps) {
          if (isCall) earned++
          if (isCall) budget.earn()
          else if (budget.spend()) spent++
          expect(spent).toBeLessThanOrEqual(5 + earned * 0.1 + 1e-9)
        }
      }),
    )
  })
})

describe('a circuit breaker', () => {
  function aBreaker() {
    let nowMs = 0
    const states: BreakerState[] = []
    const breaker = createCircuitBreaker({
      maxFailures: 2,
      openMs: 100,
      maxOpenMs: 300,
      nowMs: () => nowMs,
      onState: (state) => states.push(state),
    })
    const fail = () => {
      breaker.begin()
      breaker.failed()
    }
    return { breaker, states, fail, pass: (ms: number) => void (nowMs += ms) }
  }

  test('opens after failures in a row, lets one probe through, and closes after its success', () => {
    const { breaker, states, fail, pass } = aBreaker()
    fail()
    breaker.begin()
    breaker.succeeded()
    fail()
    expect(breaker.allows()).toBe(true)
    fail()
    expect([breaker.state, breaker.allows()]).toEqual(['open', false])
    pass(100)
    expect(breaker.allows()).toBe(true)
    breaker.begin()
    expect([breaker.state, breaker.allows()]).toEqual(['half-open', false])
    breaker.succeeded()
    expect(breaker.allows()).toBe(true)
    expect(states).toEqual(['open', 'half-open', 'closed'])
  })

  test('stays open longer after each failed probe, up to a bound', () => {
    const { breaker, fail, pass } = aBreaker()
    fail()
    fail()
    for (const openMs of [100, 200, 300, 300]) {
      pass(openMs - 1)
      expect(breaker.allows()).toBe(false)
      pass(1)
      expect(breaker.allows()).toBe(true)
      fail()
    }
  })

  test('a probe whose caller gave up is followed by another one', () => {
    const { breaker, fail, pass } = aBreaker()
    fail()
    fail()
    pass(100)
    breaker.begin()
    breaker.abandoned()
    expect(breaker.allows()).toBe(true)
  })
})
