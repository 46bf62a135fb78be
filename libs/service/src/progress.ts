/** Where progress is written, e.g. `process.stderr`. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Options for showing progress. */
export interface ProgressOptions {
  /** The name of the work, e.g. `replaying`, or a function for a name that changes. */
  readonly label: string | (() => string)
  /** The counted things, plural, e.g. `events`. */
  readonly unit: string
  /** How many there will be; null: not known. */
  readonly total: number | null
  /** The finished share, 0 to 1, for work whose total is not known. */
  readonly share?: () => number
  readonly out: ProgressOutput
  /** Milliseconds on any steady clock. */
  readonly nowMs: () => number
}

/** Reports how far long work has advanced. */
export interface Progress {
  /** Counts `count` more as done. */
  advance(count?: number): void
  /** Writes the last line: how many, how long, how fast. */
  done(): void
}

const terminalEveryMs = 200
const logEveryMs = 10_000

/** Shows count, rate and time left: on a terminal as a line that rewrites itself, otherwise as one line every ten seconds. */
export function createProgress(options: ProgressOptions): Progress {
  const { out, nowMs, total } = options
  const startedMs = nowMs()
  const everyMs = out.isTTY === true ? terminalEveryMs : logEveryMs
  let shownMs = startedMs
  let count = 0

  const label = (): string => (typeof options.label === 'string' ? options.label : options.label())
  const line = (): string => {
    const seconds = Math.max((nowMs() - startedMs) / 1000, 0.001)
    const rate = count / seconds
    const share = total === null || total === 0 ? '' : ` of ${grouped(total)} (${Math.floor((100 * count) / total)} %)`
    const done = options.share?.() ?? 0
    const secondsLeft = total !== null && rate > 0 ? (total - count) / rate : done > 0 ? seconds * (1 / done - 1) : null
    const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`
    return `${label()}: ${grouped(count)}${share} ${options.unit}, ${grouped(rate)}/s${left}`
  }

  return {
    advance(more = 1) {
      count += more
      const now = nowMs()
      if (now - shownMs < everyMs) return
      shownMs = now
      out.write(out.isTTY === true ? `\r\u001b[K${line()}` : `${line()}\n`)
    },
    done() {
      const seconds = (nowMs() - startedMs) / 1000
      const rate = seconds > 0 ? `, ${grouped(count / seconds)}/s` : ''
      const clear = out.isTTY === true ? '\r\u001b[K' : ''
      out.write(`${clear}${label()}: ${grouped(count)} ${options.unit} in ${duration(seconds)}${rate}\n`)
    },
  }
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Seconds for people: `4.2 s`, `3 min 10 s`, `2 h 5 min`. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
