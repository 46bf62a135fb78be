/** The client's environment; tests pass their own. */
export interface ClientEnvironment {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs `run` after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void
  /** Uniform in [0, 1). */
  random(): number
  newEventId(): string
  /** The page, in browsers. */
  readonly page: ClientPage | null
}

/** The parts of a browser's page that the client uses. */
export interface ClientPage {
  on(event: 'hidden' | 'gone', listener: () => void): () => void
  /** Hands a body to the browser, which sends it even after the page has closed; false: the browser refused it. */
  beacon(url: string, body: string): boolean
}

interface BrowserGlobals {
  readonly document?: EventTarget & { readonly visibilityState: string }
  readonly navigator?: { sendBeacon?(url: string, body: Blob): boolean }
}

/** The environment of the current browser or Node. */
export function systemEnvironment(): ClientEnvironment {
  return {
    fetch: (url, init) => globalThis.fetch(url, init),
    now: () => Date.now(),
    after(ms, run) {
      const timer: unknown = setTimeout(run, ms)
      // Do not keep Node alive for a timer; `close` sends the rest.
      if (typeof timer === 'object' && timer !== null && 'unref' in timer) (timer as { unref(): void }).unref()
      return () => {
        clearTimeout(timer as ReturnType<typeof setTimeout>)
      }
    },
    random: () => Math.random(),
    newEventId: randomId,
    page: browserPage(),
  }
}

// crypto.randomUUID is missing on pages without TLS.
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function browserPage(): ClientPage | null {
  const { document, navigator } = globalThis as unknown as BrowserGlobals
  if (document === undefined) return null
  const listen = (target: EventTarget, name: string, listener: () => void): (() => void) => {
    target.addEventListener(name, listener)
    return () => {
      target.removeEventListener(name, listener)
    }
  }
  return {
    on(event, listener) {
      if (event === 'gone') return listen(globalThis as unknown as EventTarget, 'pagehide', listener)
      return listen(document, 'visibilitychange', () => {
        if (document.visibilityState === 'hidden') listener()
      })
    },
    beacon: (url, body) => navigator?.sendBeacon?.(url, new Blob([body], { type: 'application/json' })) ?? false,
  }
}
