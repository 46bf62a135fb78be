import type { ClientEnvironment } from './environment.ts'

/** How observed pins were seen. */
export interface LookOptions {
  readonly environment: ClientEnvironment
  readonly maxLookMs: number
  /** A pin was seen: how long in all. */
  readonly onSeen: (pin: object, visibleMs: number) => void
  /** A pin left at the top after less than that. */
  readonly onScrolledPast: (pin: object, visibleMs: number) => void
}

/** Notices which pins are on the screen. */
export interface Looks {
  /** Observes an element. `key` names its place: each is reported once. The returned function ends that. */
  observe(element: object, pin: object, key: string): () => void
  /** Reports what was noticed and is still on the screen. */
  report(): void
  close(): void
}

/** How long half of a pin must be visible. */
const leastMs = 1_000
/** How many places are remembered. */
const maxSeen = 10_000

/** One observed pin. */
interface Look {
  readonly pin: object
  readonly key: string
  /** Visible before `sinceMs`. */
  visibleMs: number
  /** When it came into sight; null: it is not visible. */
  sinceMs: number | null
  inSight: boolean
  isNoticed: boolean
  cancel: () => void
}

/** Measures how long pins are visible. */
export function createLooks(options: LookOptions): Looks {
  const { environment, onSeen, onScrolledPast } = options
  const { page, now, after } = environment
  const looks = new Set<Look>()
  const seen = new Set<string>()

  const pass = (look: Look): void => {
    if (look.sinceMs !== null) look.visibleMs += Math.max(0, now() - look.sinceMs)
    look.sinceMs = null
    look.cancel()
  }

  /** Ends a look, which may be reported. */
  const finish = (look: Look): void => {
    pass(look)
    if (look.isNoticed && !seen.has(look.key)) {
      seen.add(look.key)
      if (seen.size > maxSeen) seen.delete(seen.values().next().value!)
      onSeen(look.pin, Math.round(look.visibleMs))
    }
  }

  /** Goes on measuring, or stops, as the element and the page are visible. */
  const update = (look: Look): void => {
    const isVisible = look.inSight && page?.isVisible() === true
    if (seen.has(look.key) || isVisible === (look.sinceMs !== null)) return
    if (!isVisible) {
      if (look.isNoticed) finish(look)
      else pass(look)
      return
    }
    look.sinceMs = now()
    // A second without a break counts.
    look.visibleMs = 0
    look.cancel = after(leastMs, () => {
      look.isNoticed = true
      look.cancel = after(options.maxLookMs, () => {
        finish(look)
      })
    })
  }

  const updateAll = (): void => {
    for (const look of looks) update(look)
  }
  const closing = new AbortController()
  page?.on('visibilitychange', updateAll, closing.signal)

  return {
    observe(element, pin, key) {
      if (page === null) throw new TypeError('observe needs a page')
      const look: Look = {
        ...{ pin, key, visibleMs: 0, sinceMs: null, inSight: false, isNoticed: false },
        cancel: () => undefined,
      }
      looks.add(look)
      const unwatch = page.watch(element, ({ share, above }) => {
        look.inSight = share >= 0.5
        update(look)
        if (above && look.visibleMs > 0 && !look.isNoticed && !seen.has(key)) {
          onScrolledPast(pin, Math.round(look.visibleMs))
          look.visibleMs = 0
        }
      })
      return () => {
        unwatch()
        finish(look)
        looks.delete(look)
      }
    },
    report() {
      for (const look of looks) if (look.isNoticed) finish(look)
    },
    close() {
      closing.abort()
      for (const look of looks) finish(look)
      looks.clear()
    },
  }
}
