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
  /** A small text that survives the page and that all its tabs share: who the user is. */
  readonly kept: (name: string) => KeptText
}

/** A text that stays. */
export interface KeptText {
  get(): string | null
  set(text: string): void
}

/** How much of an element is on the screen. */
export interface Sight {
  /** Share of the element, 0–1. */
  readonly share: number
  /** The element is above the screen. */
  readonly above: boolean
}

/** The events of a page that the client listens to. */
export type PageEvent = 'visibilitychange' | 'pagehide' | 'pageshow' | 'online'

/** The parts of a browser's page that the client uses. */
export interface ClientPage {
  /** Listens until the signal is aborted. */
  on(event: PageEvent, listener: () => void, signal: AbortSignal): void
  isVisible(): boolean
  /** Calls back when half of the element comes into sight or leaves it, and when all of it left; the returned function ends that. */
  watch(element: object, onSight: (sight: Sight) => void): () => void
}

/** What browsers and Node have in common. */
export const commonEnvironment = {
  fetch: (url: string, init: RequestInit) => fetch(url, init),
  now: Date.now,
  random: Math.random,
  // crypto.randomUUID is missing on pages without TLS.
  newEventId: () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36)).join(''),
}
