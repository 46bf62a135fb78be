import { parseTime } from '../evaluation/recording.ts'
import { refuse, whole } from '../arguments.ts'
import type { PlatformArguments } from '../operations/platform.ts'

/** The options of commands that judge logged feeds, as text. */
export interface LoggedFeedsArguments extends PlatformArguments {
  readonly from?: string
  readonly to?: string
  /** Minutes. */
  readonly window: string
  /** Percent. */
  readonly level: string
  readonly json?: boolean
}

/** Which feeds count, and how sure intervals are. */
export interface LoggedFeedsChoice {
  readonly fromMs: number
  readonly toMs: number
  readonly windowMs: number
  /** In (0, 1). */
  readonly level: number
}

/** Checks the options. Throws an ArgumentError. */
export function choiceOf({ from, to, window, level }: LoggedFeedsArguments): LoggedFeedsChoice {
  return {
    fromMs: timeOf(from, '--from') ?? -Infinity,
    toMs: timeOf(to, '--to') ?? Infinity,
    windowMs: whole(window, '--window', 1, 1_440) * 60_000,
    level: whole(level, '--level', 50, 99) / 100,
  }
}

function timeOf(text: string | undefined, name: string): number | null {
  if (text === undefined) return null
  return parseTime(text) ?? refuse(`${name} is ${text}; give an RFC 3339 time, for example 2026-01-31T08:00:00Z`)
}
