/** Numbers and times for people, in English, with the digits that matter. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** A count: `12,345`; means below 100 keep one digit. */
export function count(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return grouped.format(value)
  return value.toFixed(1).replace(/\.0$/, '')
}

/** A share of 1 as percent. Small shares that are not zero do not read as zero. */
export function percent(share: number): string {
  const value = 100 * share
  if (value === 0) return '0 %'
  if (Math.abs(value) < 0.1) return '< 0.1 %'
  return `${Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value)} %`
}

/** A duration in milliseconds: `0.4 ms`, `12 ms`, `3.2 s`, `4 min`, `5 h`, `6 days`. */
export function duration(ms: number): string {
  if (ms === 0) return '0 ms'
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} days`
}

/** Bytes: `512 B`, `34 kB`, `248 MB`, `1.2 GB`. */
export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`
  if (value < 1_000_000) return `${Math.round(value / 1_000)} kB`
  if (value < 1_000_000_000) return `${Math.round(value / 1_000_000)} MB`
  return `${(value / 1_000_000_000).toFixed(1)} GB`
}

/** A time of day with its date. */
export function time(ms: number): string {
  return Number.isFinite(ms) ? dateTime.format(ms) : '—'
}

/** A value with a few significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '—'
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size >= 1_000 ? count(value) : size < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(4)))
}

/** `1 pin`, `2 pins`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}
