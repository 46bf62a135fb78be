import { commonEnvironment, type ClientEnvironment } from './environment.ts'

/** The parts of a browser that are used here. */
declare const document: { readonly hidden: boolean }
declare const addEventListener: EventTarget['addEventListener']
declare const localStorage: Record<string, string>
declare const IntersectionObserver: new (
  onChange: (entries: readonly IntersectionEntry[]) => void,
  options: { readonly threshold: readonly number[] },
) => { observe(element: object): void; disconnect(): void }
interface IntersectionEntry {
  readonly intersectionRatio: number
  readonly boundingClientRect: { readonly bottom: number }
}

/** The environment of the current page. */
export function pageEnvironment(): ClientEnvironment {
  return {
    ...commonEnvironment,
    after(ms, run) {
      // Browsers run longer timers at once.
      const timer = setTimeout(run, Math.min(ms, 2e9))
      return () => {
        clearTimeout(timer)
      }
    },
    page: {
      on(event, listener, signal) {
        addEventListener(event, listener, { signal })
      },
      isVisible: () => !document.hidden,
      watch(element, onSight) {
        const observer = new IntersectionObserver(
          (entries) => {
            for (const { intersectionRatio: share, boundingClientRect } of entries)
              onSight({ share, above: boundingClientRect.bottom <= 0 })
          },
          { threshold: [0, 0.5] },
        )
        observer.observe(element)
        return () => {
          observer.disconnect()
        }
      },
    },
    kept(key) {
      /** What localStorage refused, because it is full or forbidden. */
      let own: string | null = null
      return {
        get() {
          try {
            return own ?? localStorage[key] ?? null
          } catch {
            return own
          }
        },
        set(text) {
          try {
            localStorage[key] = text
            own = null
          } catch {
            own = text
          }
        },
      }
    },
  }
}
