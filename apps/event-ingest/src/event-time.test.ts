import { anEngagement } from '@freshet/domain/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockShiftMs, timedEngagement } from './event-time.ts'

const toleratedSkewMs = 30_000
const limits = { maxEventAgeDays: 30, maxFutureMs: 300_000, rejectFutureMs: 86_400_000 }
const nowMs = Date.UTC(2026, 0, 31, 12)
const hourMs = 3_600_000

/** When an event truly happened, how long it waited to be sent, and how long the network took. */
interface Sent {
  readonly happenedMs: number
  readonly waitedMs: number
  readonly tookMs: number
}

/** Events of one client. */
const sent: fc.Arbitrary<Sent[]> = fc.array(
  fc.record({
    happenedMs: fc.integer({ min: nowMs - 20 * hourMs, max: nowMs }),
    waitedMs: fc.nat(hourMs),
    tookMs: fc.nat(hourMs),
  }),
  { minLength: 2, maxLength: 8 },
)

/** The times that they are taken with, where the client's clock is off by `errorMs` (positive: behind) and it knows of `offsetMs`. */
function timesOf(events: readonly Sent[], errorMs: number, offsetMs = 0): readonly number[] {
  return events.map(({ happenedMs, waitedMs, tookMs }) => {
    const clock = { sentAtMs: happenedMs + waitedMs - errorMs, offsetMs }
    const arrivedMs = happenedMs + waitedMs + tookMs
    const time = { nowMs: arrivedMs, shiftMs: clockShiftMs(clock, arrivedMs, toleratedSkewMs) }
    const engagement = { ...anEngagement(), occurredAtMs: happenedMs - errorMs }
    const timed = timedEngagement(engagement, '', time, limits)
    if ('code' in timed) throw new Error(timed.message)
    return timed.occurredAtMs
  })
}

describe('A4 · the times of one client', () => {
  it('keep their order and differences, whatever the network does, where the clock is right or behind', () => {
    fc.assert(
      fc.property(sent, fc.nat(hourMs), (events, behindMs) => {
        expect(timesOf(events, behindMs)).toEqual(events.map(({ happenedMs }) => happenedMs - behindMs))
      }),
    )
  })

  it('keep them where the clock is ahead by what is tolerated', () => {
    fc.assert(
      fc.property(sent, fc.nat(toleratedSkewMs), (events, aheadMs) => {
        expect(timesOf(events, -aheadMs)).toEqual(events.map(({ happenedMs }) => happenedMs + aheadMs))
      }),
    )
  })

  it('keep them where the client knows the error of its clock, to within what is tolerated', () => {
    const errors = fc.integer({ min: -1e12, max: 1e12 })
    const inexact = fc.integer({ min: -toleratedSkewMs, max: toleratedSkewMs })
    fc.assert(
      fc.property(sent, errors, inexact, (events, errorMs, offMs) => {
        const offsetMs = errorMs + offMs
        expect(timesOf(events, errorMs, offsetMs)).toEqual(events.map(({ happenedMs }) => happenedMs + offMs))
      }),
    )
  })

  it('are never later than the arrival by more than is tolerated', () => {
    fc.assert(
      fc.property(sent, fc.integer({ min: -1e12, max: hourMs }), (events, errorMs) => {
        timesOf(events, errorMs).forEach((time, i) => {
          const { happenedMs, waitedMs, tookMs } = events[i] as Sent
          expect(time).toBeLessThanOrEqual(happenedMs + waitedMs + tookMs + toleratedSkewMs)
        })
      }),
    )
  })

  it('let an unhide of two seconds ago win over a hide of eleven seconds ago that arrives after it', () => {
    const hide = { happenedMs: nowMs - 11_000, waitedMs: 0, tookMs: 11_000 }
    const unhide = { happenedMs: nowMs - 2_000, waitedMs: 0, tookMs: 100 }
    const [hidden = 0, unhidden = 0] = timesOf([hide, unhide], 0)
    expect(hidden).toBeLessThan(unhidden)
  })
})
