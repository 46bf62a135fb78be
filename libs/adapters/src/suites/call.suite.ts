import { afterEach, describe, expect, test } from 'vitest'
import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import { maxHeadersBytes, type MessageHeaders } from '@freshet/contracts/headers'
import type { CallOptions } from '@freshet/contracts/ports/calls'

/** Answers calls: the service under a port, as tests write it. */
export type Answer<Request, Response> = (request: Request, options: CallOptions) => Promise<Response>

/** A service that can die without its caller. */
export interface Outage {
  kill(): Promise<void>
  revive(): Promise<void>
}

/** A port in front of an `Answer`. */
export interface CallFixture<Request, Response> {
  readonly call: Answer<Request, Response>
  /** Absent: caller and service die together, and the outage test is skipped. */
  readonly outage?: Outage
  close(): Promise<void>
}

/** What the suite needs to know about a port. */
export interface CallSuiteOptions<Request, Response> {
  readonly name: string
  readonly start: (answer: Answer<Request, Response>) => Promise<CallFixture<Request, Response>>
  /** Whether fixtures have an `outage`. */
  readonly mortal: boolean
  /** The `seed`th request and answer: different for different seeds, all fields used. */
  readonly request: (seed: number) => Request
  readonly response: (seed: number) => Response
  /** The seed of a request. */
  readonly seedOf: (request: Request) => number
}

const patienceMs = 10_000

/** The contract of every port that makes calls, over any transport. */
export function callSuite<Request, Response>(options: CallSuiteOptions<Request, Response>): void {
  const { name, request, response, seedOf } = options
  const open: CallFixture<Request, Response>[] = []
  const start = async (answer: Answer<Request, Response>) => {
    const fixture = await options.start(answer)
    open.push(fixture)
    return fixture
  }
  afterEach(async () => {
    for (const fixture of open.splice(0)) await fixture.close()
  })

  describe(name, () => {
    test('request and answer arrive as they were sent', async () => {
      const seen: Request[] = []
      const { call } = await start(async (asked) => {
        seen.push(asked)
        return response(seedOf(asked))
      })
      for (let seed = 0; seed < 20; seed++) {
        expect(plain(await call(request(seed), { timeoutMs: patienceMs }))).toEqual(plain(response(seed)))
        expect(plain(seen.at(-1))).toEqual(plain(request(seed)))
      }
    })

    test('each of many concurrent calls gets its own answer, in any order of answers', async () => {
      const waiting: (() => void)[] = []
      const { call } = await start(
        (asked) =>
          new Promise((resolve) => {
            waiting.push(() => resolve(response(seedOf(asked))))
          }),
      )
      const asked = Array.from({ length: 50 }, (_, seed) => call(request(seed), { timeoutMs: patienceMs }))
      await until(() => waiting.length === 50)
      for (const release of waiting.reverse()) release()
      expect(plain(await Promise.all(asked))).toEqual(plain(Array.from({ length: 50 }, (_, seed) => response(seed))))
    })

    test('the service knows how long its caller waits', async () => {
      let timeoutMs = 0
      const { call } = await start(async (asked, given) => {
        timeoutMs = given.timeoutMs
        return response(seedOf(asked))
      })
      await call(request(1), { timeoutMs: 4_321 })
      expect(timeoutMs).toBeGreaterThan(0)
      expect(timeoutMs).toBeLessThanOrEqual(4_321)
    })

    test('headers of a call reach the service with its request; a call without headers has none', async () => {
      const seen = new Map<number, MessageHeaders | undefined>()
      const { call } = await start(async (asked, { headers }) => {
        seen.set(seedOf(asked), headers)
        return response(seedOf(asked))
      })
      const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' }
      await Promise.all([
        call(request(1), { timeoutMs: patienceMs, headers }),
        call(request(2), { timeoutMs: patienceMs }),
        call(request(3), { timeoutMs: patienceMs, headers: { ...headers, origin: 'Schlüssel 🗝' } }),
      ])
      expect({ ...seen.get(1) }).toEqual(headers)
      expect({ ...seen.get(2) }).toEqual({})
      expect({ ...seen.get(3) }).toEqual({ ...headers, origin: 'Schlüssel 🗝' })
    })

    test('a call with headers over the limit does not reach the service', async () => {
      let calls = 0
      const { call } = await start(async (asked) => {
        calls++
        return response(seedOf(asked))
      })
      const headers = { origin: 'x'.repeat(maxHeadersBytes) }
      expect(await codeOf(call(request(0), { timeoutMs: patienceMs, headers }))).toBe('HEADERS_TOO_LARGE')
      expect(calls).toBe(0)
    })

    test('a service that does not answer in time: CALL_DEADLINE_EXCEEDED at the deadline, and its signal is aborted', async () => {
      let signal: AbortSignal | undefined
      const { call } = await start((asked, given) => {
        if (seedOf(asked) !== 0) return Promise.resolve(response(seedOf(asked)))
        signal = given.signal
        return new Promise(() => {})
      })
      await call(request(1), { timeoutMs: patienceMs })
      const stop = new AbortController()
      const patient = codeOf(call(request(0), { timeoutMs: 100 * patienceMs, signal: stop.signal }))
      await until(() => signal !== undefined)
      const startedMs = performance.now()
      expect(await codeOf(call(request(0), { timeoutMs: 60 }))).toBe('CALL_DEADLINE_EXCEEDED')
      expect(performance.now() - startedMs).toBeGreaterThan(50)
      await until(() => signal?.aborted === true)
      stop.abort()
      expect(await patient).toBe('CALL_CANCELLED')
    })

    test('a caller that ends its call: CALL_CANCELLED immediately, the signal of the service is aborted, other calls continue', async () => {
      const signals = new Map<number, AbortSignal | undefined>()
      let release: () => void = () => {}
      const { call } = await start((asked, given) => {
        signals.set(seedOf(asked), given.signal)
        return new Promise((resolve) => {
          if (seedOf(asked) === 1) release = () => resolve(response(1))
        })
      })
      const stop = new AbortController()
      const ended = codeOf(call(request(0), { timeoutMs: patienceMs, signal: stop.signal }))
      const other = call(request(1), { timeoutMs: patienceMs })
      await until(() => signals.size === 2)
      stop.abort()
      expect(await ended).toBe('CALL_CANCELLED')
      await until(() => signals.get(0)?.aborted === true)
      expect(signals.get(1)?.aborted).toBe(false)
      release()
      expect(plain(await other)).toEqual(plain(response(1)))
    })

    test('a call without time or already ended does not reach the service', async () => {
      let calls = 0
      const { call } = await start(async (asked) => {
        calls++
        return response(seedOf(asked))
      })
      for (const timeoutMs of [0, -5, Number.NaN])
        expect(await codeOf(call(request(0), { timeoutMs }))).toBe('CALL_DEADLINE_EXCEEDED')
      expect(await codeOf(call(request(0), { timeoutMs: patienceMs, signal: AbortSignal.abort() }))).toBe(
        'CALL_CANCELLED',
      )
      await call(request(1), { timeoutMs: patienceMs })
      expect(calls).toBe(1)
    })

    test('errors of the catalogue keep code and message', async () => {
      const codes: readonly ErrorCode[] = ['CALL_INVALID_ARGUMENT', 'CALL_UNAVAILABLE', 'CALL_DEADLINE_EXCEEDED']
      const { call } = await start(async (asked) => {
        throw new ContractError(codes[seedOf(asked)]!, 'limit: is 0; give 1–2,000')
      })
      for (const [seed, code] of codes.entries()) {
        const error = await errorOfCall(call(request(seed), { timeoutMs: patienceMs }))
        expect(error.code).toBe(code)
        expect(error.message).toBe('limit: is 0; give 1–2,000')
      }
    })

    test.each(['throws', 'rejects'])(
      'a service that %s with a defect: CALL_INTERNAL without its words',
      async (how) => {
        const { call } = await start((asked) => {
          if (seedOf(asked) === 1) return Promise.resolve(response(1))
          if (how === 'throws') throw new TypeError('secret of the inside')
          return Promise.reject(new TypeError('secret of the inside'))
        })
        const error = await errorOfCall(call(request(0), { timeoutMs: patienceMs }))
        expect(error.code).toBe('CALL_INTERNAL')
        expect(error.message).not.toContain('secret')
        expect(plain(await call(request(1), { timeoutMs: patienceMs }))).toEqual(plain(response(1)))
      },
    )

    if (!options.mortal) return

    test('a service killed and back: CALL_UNAVAILABLE for pending calls and while it is down, then answers again', async () => {
      let reached = 0
      const { call, outage } = await start((asked) => {
        reached++
        return seedOf(asked) === 0 ? new Promise(() => {}) : Promise.resolve(response(seedOf(asked)))
      })
      if (outage === undefined) throw new Error('the fixture has no outage')
      const underWay = Array.from({ length: 5 }, () => codeOf(call(request(0), { timeoutMs: patienceMs })))
      await until(() => reached === 5)
      await outage.kill()
      expect(await Promise.all(underWay)).toEqual(Array.from({ length: 5 }, () => 'CALL_UNAVAILABLE'))
      // Not CALL_DEADLINE_EXCEEDED: the call does not wait for its time to pass.
      expect(await codeOf(call(request(1), { timeoutMs: 2_000 }))).toBe('CALL_UNAVAILABLE')
      await outage.revive()
      await until(async () => (await codeOf(call(request(1), { timeoutMs: 1_000 }))) === null)
      expect(plain(await call(request(2), { timeoutMs: patienceMs }))).toEqual(plain(response(2)))
    })
  })
}

/** A message with its bytes as arrays of numbers: Buffer or Uint8Array is the transport's business. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}

async function errorOfCall(call: Promise<unknown>): Promise<ContractError> {
  const error = await call.then(
    () => new Error('answered'),
    (thrown: unknown) => thrown,
  )
  if (!isContractError(error)) throw error
  return error
}

/** Code of the error that a call ends with; null: it was answered. */
async function codeOf(call: Promise<unknown>): Promise<ErrorCode | null> {
  try {
    await call
    return null
  } catch (error) {
    if (isContractError(error)) return error.code
    throw error
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + patienceMs
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('the condition did not become true in time')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
