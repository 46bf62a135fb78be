import { commonEnvironment, type ClientEnvironment } from './environment.ts'

/** The environment of Node. */
export function nodeEnvironment(): ClientEnvironment {
  return {
    ...commonEnvironment,
    after(ms, run) {
      // Does not keep Node alive; `close` sends the rest.
      const timer = setTimeout(run, Math.min(ms, 2e9)).unref()
      return () => {
        clearTimeout(timer)
      }
    },
    page: null,
    kept() {
      let own: string | null = null
      return {
        get: () => own,
        set(text) {
          own = text
        },
      }
    },
  }
}
