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
  look(element: object, pin: object, key: string): () => void
  /** The page was hidden or shown; or, to report: reports what was noticed and is still on the screen. */
  update(toReport: boolean): void
}

/** How long half of a pin must be visible. */
const leastMs = 1_000

/** Measures how long pins are visible. */
export function createLooks({ environment, maxLookMs, onSeen, onScrolledPast }: LookOptions): Looks {
  const { page, now, after } = environment
  const looks = new Set<(toReport: boolean) => void>()
  const seen = new Set<string>()
  return {
    look(element, pin, key) {
      /** When half of it came into sight; 0: it is not visible. */
      let sinceMs = 0
      let briefMs = 0
      let inSight = false
      let isNoticed = false
      let cancel: (() => void) | undefined
      const update = (toReport?: boolean): void => {
        if (!toReport && inSight && page!.isVisible() && !seen.has(key)) {
          if (sinceMs) return
          sinceMs = now()
          cancel = after(leastMs, () => {
            isNoticed = true
            cancel = after(maxLookMs, () => {
              update(true)
            })
          })
        } else if (isNoticed || !toReport) {
          cancel?.()
          // Timers stop while the machine sleeps, and clocks are set.
          const visibleMs = Math.min(Math.max(now() - sinceMs, isNoticed ? leastMs : 0), leastMs + maxLookMs)
          if (isNoticed) {
            seen.add(key)
            onSeen(pin, visibleMs)
          } else if (sinceMs) briefMs = visibleMs
          isNoticed = false
          sinceMs = 0
        }
      }
      looks.add(update)
      const unwatch = page!.watch(element, ({ share, above }) => {
        inSight = share >= 0.5
        update()
        if (above && briefMs && !seen.has(key)) {
          onScrolledPast(pin, briefMs)
          briefMs = 0
        }
      })
      return () => {
        unwatch()
        inSight = false
        update()
        looks.delete(update)
      }
    },
    update(toReport) {
      for (const update of looks) update(toReport)
    },
  }
}
