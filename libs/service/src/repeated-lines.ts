/** Lines that were held back, for the line that sums them up. */
export interface HeldBack {
  readonly level: number
  readonly code: string | null
  /** The partition that the line is about; null: none. A failing partition must not hide another one. */
  readonly partition: number | null
  readonly message: string
  readonly count: number
}

/** Limits how often the same line is written. */
export interface RepeatLimit {
  /** Whether to write a line. Lines are the same if their level, code, partition and message are; other fields do not count. */
  admits(line: Omit<HeldBack, 'count'>): boolean
}

/** Options of the limit. */
export interface RepeatLimitOptions {
  /** So many of the same line are written in a window. */
  readonly maxLines: number
  readonly windowMs: number
  /** Called at the end of a window with each line that was held back in it. */
  readonly onHeldBack: (line: HeldBack) => void
  /** Calls back after a time, without keeping the process alive. */
  readonly after: (ms: number, then: () => void) => void
}

/** At most this many different lines are counted in a window. Further ones are written. */
const maxDifferent = 1_000

/** Creates a limit. A window starts with the first line after the window before. */
export function limitRepeats({ maxLines, windowMs, onHeldBack, after }: RepeatLimitOptions): RepeatLimit {
  let counts = new Map<string, { readonly line: Omit<HeldBack, 'count'>; count: number }>()
  const endWindow = (): void => {
    const ended = counts
    counts = new Map()
    for (const { line, count } of ended.values()) if (count > maxLines) onHeldBack({ ...line, count: count - maxLines })
  }
  return {
    admits(line) {
      if (counts.size === 0) after(windowMs, endWindow)
      const key = `${line.level} ${line.code ?? ''} ${line.partition ?? ''} ${line.message}`
      const known = counts.get(key)
      if (known !== undefined) return ++known.count <= maxLines
      if (counts.size < maxDifferent) counts.set(key, { line, count: 1 })
      return true
    },
  }
}
