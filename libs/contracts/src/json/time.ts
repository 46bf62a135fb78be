import { shown, wrongType, type FieldFault } from './fields.ts'

const dayMs = 86_400_000
/** The first and the last millisecond that RFC 3339 can express: of the years 1 and 9999. */
export const minTimeMs = -62_135_596_800_000
export const maxTimeMs = 253_402_300_799_999
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Why `value` is not an RFC 3339 time; null: it is one. */
export function timeFault(value: unknown): FieldFault | null {
  if (typeof value !== 'string') return wrongType(value, 'an RFC 3339 time such as 2026-01-31T12:00:00.000Z')
  if (!Number.isNaN(parseTime(value))) return null
  return {
    code: 'EVENT_TIME_INVALID',
    text: `is ${shown(value)}; give an RFC 3339 time such as 2026-01-31T12:00:00.000Z`,
  }
}

/** Milliseconds since the epoch (negative: before 1970) of an RFC 3339 time from year 1 to 9999; NaN: the text is something else. `Date.parse` would accept 30 February and times without a zone. */
export function parseTime(text: string): number {
  const { length } = text
  if (length < 20 || length > 40) return Number.NaN
  const day = dateDays(text)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  const separators = (text[10] === 'T' || text[10] === 't') && text[13] === ':' && text[16] === ':'
  if (!separators || !(hour <= 23) || !(minute <= 59) || !(second <= 59)) return Number.NaN

  let at = 19
  let fraction = 0
  if (text[at] === '.') {
    const start = ++at
    let scale = 100
    for (; at < length; at++) {
      const digit = text.charCodeAt(at) - 48
      if (digit < 0 || digit > 9) break
      fraction += digit * scale
      scale = Math.trunc(scale / 10)
    }
    if (at === start) return Number.NaN
  }
  const time = day * dayMs + hour * 3_600_000 + minute * 60_000 + second * 1_000 + fraction - zoneMs(text, at)
  return time >= minTimeMs && time <= maxTimeMs ? time : Number.NaN
}

/**
 * Why a number cannot be milliseconds since the epoch; null: it can. Read as milliseconds, present times in seconds would
 * be in early 1970, and times in microseconds or nanoseconds beyond the year 9999.
 */
export function unitFault(timeMs: number): FieldFault | null {
  const unit =
    timeMs >= 1e9 && timeMs < 5e9
      ? 'seconds'
      : timeMs > maxTimeMs
        ? timeMs < 1e17
          ? 'microseconds'
          : 'nanoseconds'
        : null
  if (unit === null) return null
  return { code: 'EVENT_TIME_UNIT', text: `is ${timeMs}, which looks like ${unit}; give milliseconds since the epoch` }
}

/** A second as RFC 3339 up to its point: the times of a busy process are mostly of one second. */
let lastSecond = { startMs: 0, text: '1970-01-01T00:00:00.' }

/** A time as RFC 3339 with milliseconds, in UTC. */
export function formatTime(timeMs: number): string {
  const ms = Math.trunc(timeMs) - lastSecond.startMs
  if (ms >= 0 && ms < 1_000) return `${lastSecond.text}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
  const text = new Date(timeMs).toISOString()
  lastSecond = { startMs: Math.floor(Math.trunc(timeMs) / 1_000) * 1_000, text: text.slice(0, -4) }
  return text
}

function dateDays(text: string): number {
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  if (text[4] !== '-' || text[7] !== '-' || !(year >= 1) || !(month >= 1 && month <= 12) || !(day >= 1))
    return Number.NaN
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0
  if (day > (daysOfMonth[month - 1] as number) + leap) return Number.NaN
  // Days from civil, after H. Hinnant: years begin in March so that the leap day comes last.
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = Math.trunc((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return y * 365 + Math.trunc(y / 4) - Math.trunc(y / 100) + Math.trunc(y / 400) + dayOfYear - 719_468
}

function zoneMs(text: string, at: number): number {
  const sign = text[at]
  if (sign === 'Z' || sign === 'z') return at + 1 === text.length ? 0 : Number.NaN
  if ((sign !== '+' && sign !== '-') || at + 6 !== text.length || text[at + 3] !== ':') return Number.NaN
  const hours = digits(text, at + 1, 2)
  const minutes = digits(text, at + 4, 2)
  if (!(hours <= 23) || !(minutes <= 59)) return Number.NaN
  return (sign === '-' ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000)
}

function digits(text: string, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
