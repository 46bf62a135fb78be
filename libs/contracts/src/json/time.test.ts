import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTime, maxTimeMs, minTimeMs, parseTime, timeFault, unitFault } from './time.ts'

describe('parseTime', () => {
  it('writes what Date writes, also for times of one second one after the other', () => {
    const times = fc.array(fc.tuple(fc.integer({ min: minTimeMs, max: maxTimeMs }), fc.array(fc.nat({ max: 1_500 }))))
    fc.assert(
      fc.property(times, (all) => {
        for (const [timeMs, later] of all)
          for (const ms of [0, ...later]) {
            const each = Math.min(timeMs + ms, maxTimeMs)
            expect(formatTime(each)).toBe(new Date(each).toISOString())
          }
      }),
    )
    for (const each of [0, -1, -0.5, 999.9, 1_000, maxTimeMs])
      expect(formatTime(each)).toBe(new Date(each).toISOString())
  })

  it('A17: reads back what formatTime writes, for every millisecond of years 1 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: minTimeMs, max: maxTimeMs }), (timeMs) => {
        expect(parseTime(formatTime(timeMs))).toBe(timeMs)
      }),
    )
  })

  it.each([
    ['2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
    ['1950-06-01T00:00:00Z', Date.UTC(1950, 5, 1)],
    ['1969-12-31T23:59:59.999Z', -1],
    ['1970-01-01T00:00:00Z', 0],
    ['1900-03-01T00:00:00Z', Date.UTC(1900, 2, 1)],
    ['0001-01-01T00:00:00Z', minTimeMs],
    ['9999-12-31T23:59:59.999Z', maxTimeMs],
    ['2026-01-31t12:00:00.5z', Date.UTC(2026, 0, 31, 12, 0, 0, 500)],
    ['2026-01-31T12:00:00.123456789Z', Date.UTC(2026, 0, 31, 12, 0, 0, 123)],
    ['2026-01-31T12:00:00+02:00', Date.UTC(2026, 0, 31, 10)],
    ['2026-01-31T12:00:00.250-05:30', Date.UTC(2026, 0, 31, 17, 30, 0, 250)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
  ])('reads %s', (text, timeMs) => {
    expect(parseTime(text)).toBe(timeMs)
  })

  it.each([
    '',
    'yesterday',
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-01-31 12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2025-02-29T12:00:00Z',
    '2100-02-29T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-00-01T12:00:00Z',
    '2026-01-00T12:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:60Z',
    '2026-01-31T12:00:00.Z',
    '2026-01-31T12:00:00Zx',
    '2026-01-31T12:00:00+2:00',
    '2026-01-31T12:00:00+24:00',
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '1900-02-29T12:00:00Z',
    '-2026-01-31T12:00:00Z',
    '２026-01-31T12:00:00Z',
  ])('takes %j for no time', (text) => {
    expect(parseTime(text)).toBeNaN()
    expect(timeFault(text)?.code).toBe('EVENT_TIME_INVALID')
  })
})

describe('A19 · unitFault', () => {
  it.each([
    [1_700_000_000, 'seconds'],
    [1_000_000_000, 'seconds'],
    [1_700_000_000_000_000, 'microseconds'],
    [1.7e18, 'nanoseconds'],
  ])('%i looks like %s', (timeMs, unit) => {
    expect(unitFault(timeMs)).toMatchObject({ code: 'EVENT_TIME_UNIT' })
    expect(unitFault(timeMs)?.text).toContain(`looks like ${unit}; give milliseconds`)
  })

  it.each([0, 1, -1, minTimeMs, maxTimeMs, 1_700_000_000_000, Date.UTC(1950, 5, 1), Date.UTC(1971, 0, 1)])(
    '%i may be milliseconds',
    (timeMs) => {
      expect(unitFault(timeMs)).toBeNull()
    },
  )
})
