import { anEngagement } from '@freshet/domain/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockShiftMs, correctEngagement } from './event-time.ts'

const toleratedSkewMs = 30_000
const limits = { maxEventAgeDays: 30, maxFutureMs: 300_000, rejectFutureMs: 86_400_000 }
const nowMs = Date.UTC(2026, 0, 31, 12)
const hourMs = 3_600_000

/** When an event happened, how long the client waited before it sent the event, and how long the network took. */
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

/** The corrected times of events whose client has a clock that is `errorMs` behind (negative: ahead) and sends `offsetMs`. */
function correctedTimes(events: readonly Sent[], errorMs: number, offsetMs = 0): readonly number[] {
  return events.map(({ happenedMs, waitedMs, tookMs }) => {
    const clock = { sentAtMs: happenedMs + waitedMs - errorMs, offsetMs }
    const arrivedMs = happenedMs + waitedMs + tookMs
    const time = { nowMs: arrivedMs, shiftMs: clockShiftMs(clock, arrivedMs, toleratedSkewMs) }
    const engagement = { ...anEngagement(), occurredAtMs: happenedMs - errorMs }
    const timed = correctEngagement(engagement, '', time, limits)
    if ('code' in timed) throw new Error(timed.message)
    return timed.occurredAtMs
  })
}

describe('A4 · the times of one client', () => {
  it('keep their order and differences on any network if the clock is right or behind', () => {
    fc.assert(
      fc.property(sent, fc.nat(hourMs), (events, behindMs) => {
        expect(correctedTimes(events, behindMs)).toEqual(events.map(({ happenedMs }) => happenedMs - behindMs))
      }),
    )
  })

  it('keep them if the clock is ahead by at most the tolerance', () => {
    fc.assert(
      fc.property(sent, fc.nat(toleratedSkewMs), (events, aheadMs) => {
        expect(correctedTimes(events, -aheadMs)).toEqual(events.map(({ happenedMs }) => happenedMs + aheadMs))
      }),
    )
  })

  it('keep them if the client knows the error of its clock to within the tolerance', () => {
    const errors = fc.integer({ min: -1e12, max: 1e12 })
    const inexact = fc.integer({ min: -toleratedSkewMs, max: toleratedSkewMs })
    fc.assert(
      fc.property(sent, errors, inexact, (events, errorMs, offMs) => {
        const offsetMs = errorMs + offMs
        expect(correctedTimes(events, errorMs, offsetMs)).toEqual(events.map(({ happenedMs }) => happenedMs + offMs))
      }),
    )
  })

  it('are never later than the arrival by more than the tolerance', () => {
    fc.assert(
      fc.property(sent, fc.integer({ min: -1e12, max: hourMs }), (events, errorMs) => {
        correctedTimes(events, errorMs).forEach((time, i) => {
          const { happenedMs, waitedMs, tookMs } = events[i] as Sent
          expect(time).toBeLessThanOrEqual(happenedMs + waitedMs + tookMs + toleratedSkewMs)
        })
      }),
    )
  })

  it('let an unhide of two seconds ago win over a hide of eleven seconds ago that arrives later', () => {
    const hide = { happenedMs: nowMs - 11_000, waitedMs: 0, tookMs: 11_000 }
    const unhide = { happenedMs: nowMs - 2_000, waitedMs: 0, tookMs: 100 }
    const [hidden = 0, unhidden = 0] = correctedTimes([hide, unhide], 0)
    expect(hidden).toBeLessThan(unhidden)
  })
})
