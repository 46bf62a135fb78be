/** The position that a reader of the log must reach. */
export interface Wanted {
  readonly topic: string
  readonly partition: number
  /** One past the last position that must have been folded. */
  readonly position: number
}

/** How far a view has folded the log; callers can wait for positions. */
export interface LogProgress {
  /** First position not yet folded; null: nothing folded. */
  position(topic: string, partition: number): number | null
  /** Moves forward. Ignores earlier positions, because a batch may arrive twice. */
  advance(topic: string, partition: number, next: number): void
  /** The wanted positions that are not reached yet. */
  missing(wanted: readonly Wanted[]): readonly Wanted[]
  /** Resolves true when all are reached, false when the signal is aborted first. */
  reached(wanted: readonly Wanted[], signal: AbortSignal): Promise<boolean>
  /** Which log the positions of a topic are in; null: not known. */
  log(topic: string): string | null
  /** Sets which log the positions of a topic are in. */
  follow(topic: string, id: string): void
  /** Saves and loads this text together with the positions, under a name. What depends on the records that were read must not be older or newer than the positions. */
  attach(name: string, part: SavedPart): void
  /** The positions, their logs and the attached parts as bytes, for a snapshot. */
  save(): Uint8Array
  /** Loads positions from bytes that `save` made. */
  load(bytes: Uint8Array): void
}

/** What is saved beside positions. */
export interface SavedPart {
  save(): string
  /** '': nothing was saved. */
  load(text: string): void
}

/** Prefix of the names of attached parts; earlier versions skip such entries. */
const partMark = 'part '

/** Prefix of a log's name among the saved positions; earlier versions skip such entries. */
const logMark = 'log '

const noneMissing: readonly Wanted[] = []

/** Creates progress at the beginning of the log. */
export function createLogProgress(): LogProgress {
  const positions = new Map<string, number>()
  const logs = new Map<string, string>()
  const parts = new Map<string, SavedPart>()
  const waiters = new Set<() => void>()
  // Positions only grow, so what was reached once stays so: a feed asks for the same goal several times.
  let complete = new WeakSet<readonly Wanted[]>()
  const missing = (wanted: readonly Wanted[]): readonly Wanted[] => {
    if (wanted.length === 0 || complete.has(wanted)) return noneMissing
    const left = wanted.filter(
      ({ topic, partition, position }) => (positions.get(`${topic}/${partition}`) ?? 0) < position,
    )
    if (left.length === 0) complete.add(wanted)
    return left
  }

  return {
    position: (topic, partition) => positions.get(`${topic}/${partition}`) ?? null,
    advance(topic, partition, next) {
      const at = `${topic}/${partition}`
      if (next <= (positions.get(at) ?? -1)) return
      positions.set(at, next)
      for (const check of waiters) check()
    },
    missing,
    reached(wanted, signal) {
      if (missing(wanted).length === 0) return Promise.resolve(true)
      if (signal.aborted) return Promise.resolve(false)
      return new Promise((resolve) => {
        const end = (reached: boolean): void => {
          waiters.delete(check)
          signal.removeEventListener('abort', onAbort)
          resolve(reached)
        }
        const check = (): void => {
          if (missing(wanted).length === 0) end(true)
        }
        const onAbort = (): void => end(false)
        waiters.add(check)
        signal.addEventListener('abort', onAbort)
      })
    },
    log: (topic) => logs.get(topic) ?? null,
    follow(topic, id) {
      logs.set(topic, id)
    },
    attach(name, part) {
      parts.set(name, part)
    },
    save: () => {
      const named = [...logs].map(([topic, id]) => [`${logMark}${topic}`, id] as const)
      const attached = [...parts].flatMap(([name, part]) => {
        const text = part.save()
        return text === '' ? [] : [[`${partMark}${name}`, text] as const]
      })
      return new TextEncoder().encode(JSON.stringify([...positions, ...named, ...attached]))
    },
    load(bytes) {
      positions.clear()
      complete = new WeakSet()
      logs.clear()
      const saved = new Map<string, string>()
      for (const [at, value] of JSON.parse(new TextDecoder().decode(bytes)) as [string, number | string][]) {
        if (typeof value === 'number') positions.set(at, value)
        else if (at.startsWith(logMark)) logs.set(at.slice(logMark.length), value)
        else if (at.startsWith(partMark)) saved.set(at.slice(partMark.length), value)
      }
      for (const [name, part] of parts) part.load(saved.get(name) ?? '')
    },
  }
}

/** Waits for positions until `timeoutMs` has passed or the caller's signal is aborted. */
export async function waitForPositions(
  progress: LogProgress,
  wanted: readonly Wanted[],
  bound: {
    readonly timeoutMs: number
    readonly signal: AbortSignal | undefined
    readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  },
): Promise<boolean> {
  if (progress.missing(wanted).length === 0) return true
  const timer = new AbortController()
  const deadline = bound.sleep(Math.max(0, bound.timeoutMs), timer.signal).then(
    () => timer.abort(),
    () => undefined,
  )
  const signals = bound.signal === undefined ? [timer.signal] : [timer.signal, bound.signal]
  const fresh = await progress.reached(wanted, AbortSignal.any(signals))
  timer.abort()
  await deadline
  return fresh
}
