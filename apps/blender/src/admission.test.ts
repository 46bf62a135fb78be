import { isContractError } from '@freshet/contracts/errors'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAdmission, type RequestKind } from './admission.ts'
import { aBlender, aFeedRequest, foundPins } from './blender.harness.ts'

describe('the admission of requests', () => {
  test('a law: never more than its bounds, prefetches are refused first, and room comes back', async () => {
    const step = fc.constantFrom<RequestKind | 'end'>('prefetch', 'request', 'end')
    const law = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const shed: RequestKind[] = []
      const admission = createAdmission({ maxInFlight: 5, maxPrefetchInFlight: 2, onShed: (kind) => shed.push(kind) })
      const ends: (() => void)[] = []
      for (const kind of steps) {
        if (kind === 'end') {
          ends.shift()?.()
          await new Promise<void>((resolve) => setImmediate(resolve))
          continue
        }
        const before = admission.inFlight
        const isRefused = before >= (kind === 'prefetch' ? 2 : 5)
        const call = admission.run(kind, () => new Promise<void>((resolve) => ends.push(resolve)))
        if (isRefused) await expect(call).rejects.toMatchObject({ code: 'CALL_UNAVAILABLE', retryable: true })
        expect(admission.inFlight).toBe(before + (isRefused ? 0 : 1))
        expect(admission.inFlight).toBeLessThanOrEqual(5)
      }
      expect(ends.length).toBe(admission.inFlight)
    })
    await fc.assert(law, { seed: 4 })
  })

  test('every request ends once: with an answer, with its error, or refused', async () => {
    const ends: [RequestKind, unknown][] = []
    const onEnd = (kind: RequestKind, error: unknown) => ends.push([kind, isContractError(error) ? error.code : error])
    const admission = createAdmission({ maxInFlight: 2, maxPrefetchInFlight: 0, onShed: () => {}, onEnd })
    const failure = new Error('no')
    await admission.run('request', async () => 1)
    await admission.run('request', () => Promise.reject(failure)).catch(() => null)
    await admission.run('prefetch', async () => 1).catch(() => null)
    expect(ends).toEqual([
      ['request', null],
      ['request', failure],
      ['prefetch', 'CALL_UNAVAILABLE'],
    ])
  })

  test('an answer that fails gives its room back', async () => {
    const admission = createAdmission({ maxInFlight: 1, maxPrefetchInFlight: 1, onShed: () => {} })
    await expect(admission.run('request', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await admission.run('request', async () => 1)).toBe(1)
  })

  test('a blender under load refuses prefetches first, then requests, and answers again afterwards', async () => {
    const { blender, services, settle, feed } = await aBlender({ config: { maxInFlight: 4, maxPrefetchInFlight: 2 } })
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    services.retrieve = (request) => held.then(() => foundPins(services.pins, request))
    const ask = (prefetch: boolean, user: number) =>
      blender.getFeed(aFeedRequest({ userId: `u${user}`, prefetch }), { timeoutMs: 60_000 }).then(
        () => 'answered',
        (error: unknown) => (isContractError(error) ? error.code : 'a defect'),
      )
    const all = [false, false, true, false, false, false].map(ask)
    expect(await all[2]).toBe('CALL_UNAVAILABLE')
    expect(await all[5]).toBe('CALL_UNAVAILABLE')
    release()
    const answers = await settle(Promise.all(all))
    expect(answers.filter((answer) => answer === 'answered')).toHaveLength(4)
    expect((await feed({ prefetch: true })).items).toHaveLength(25)
  })
})
