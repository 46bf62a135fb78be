import type { FastifyInstance } from 'fastify'
import type { Demo } from './demo.ts'
import type { Upstreams } from './proxy/upstreams.ts'

/** What the page has to know before it can ask anything else. */
export interface ConfigAnswer {
  /** The data is the sample. */
  readonly demo: boolean
  /** Every caller may make every call. */
  readonly open: boolean
  readonly version: string
  /** The services whose operations servers the console reaches. */
  readonly services: readonly { readonly name: string }[]
  readonly users: Demo['users']
  readonly locales: Demo['locales']
  readonly attributions: Demo['attributions']
  /** Web origins besides the console's own from which the page may load pictures. */
  readonly imageOrigins: readonly string[]
  readonly capabilities: {
    readonly admin: boolean
    readonly pictures: boolean
    readonly crops: boolean
    readonly words: boolean
  }
}

/** What `/api/console/config` answers from. */
export interface ConfigOptions {
  readonly open: boolean
  readonly version: string
  readonly upstreams: Upstreams
  readonly demo: Demo | null
  readonly imageOrigins: readonly string[]
}

/** What the page has to know. */
export function configOf({ open, version, upstreams, demo, imageOrigins }: ConfigOptions): ConfigAnswer {
  const hasPictures = demo !== null && demo.pictures !== null
  return {
    demo: demo !== null,
    open,
    version,
    services: [...upstreams.operations.keys()].map((name) => ({ name })),
    users: demo?.users ?? [],
    locales: demo?.locales ?? [],
    attributions: demo?.attributions ?? [],
    imageOrigins,
    capabilities: {
      admin: upstreams.admin !== null,
      pictures: hasPictures,
      crops: hasPictures,
      words: hasPictures,
    },
  }
}

/** Adds `GET /api/console/config`. */
export function addConfig(app: FastifyInstance, answer: ConfigAnswer): void {
  app.get('/api/console/config', { config: { access: { rule: 'public' } } }, async () => answer)
}
