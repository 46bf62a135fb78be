import { callJson } from './http.ts'

/** A simulated user of the demo. */
export interface DemoUser {
  readonly userId: string
  readonly name: string
  /** Topics that the user likes. */
  readonly likes: readonly string[]
  readonly locale: string
}

/** Whose pictures a style has, as its licence asks to be said. */
export interface Attribution {
  readonly style: string
  readonly name: string
  readonly authors: string
  readonly license: string
  readonly url: string
}

/** What the console server says about itself. */
export interface ConsoleConfig {
  /** The shipped catalogue and simulated users are served. */
  readonly demo: boolean
  /** No keys are needed. */
  readonly open: boolean
  readonly services: readonly { readonly name: string }[]
  readonly users: readonly DemoUser[]
  readonly locales: readonly string[]
  readonly capabilities: { readonly pictures: boolean; readonly crops: boolean; readonly words: boolean }
  readonly attributions: readonly Attribution[]
  /** Web origins besides its own from which the page may load pictures. */
  readonly imageOrigins: readonly string[]
}

/** What stands in the page, as the console server writes it; null: a development server made the page. */
export function writtenConfig(): ConsoleConfig | null {
  const text = document.getElementById('config')?.textContent ?? ''
  return text === '' ? null : (JSON.parse(text) as ConsoleConfig)
}

/** Loads the configuration. */
export function loadConfig(signal: AbortSignal): Promise<ConsoleConfig> {
  return callJson<ConsoleConfig>('/api/console/config', { signal })
}
