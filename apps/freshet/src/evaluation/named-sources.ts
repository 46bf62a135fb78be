import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import type { EmbeddedConfig } from '../embedded.ts'
import type { Ask } from './evaluate.ts'

type SourceSettings = Readonly<Record<string, { readonly enabled?: boolean } | undefined>>

/**
 * The settings with every source on that an ask names, so that a source can be measured before it is switched on for users.
 * `switchedOn`: the names of the sources that were off.
 */
export function withNamedSources(
  config: EmbeddedConfig,
  asks: readonly Ask[],
): { readonly config: EmbeddedConfig; readonly switchedOn: readonly string[] } {
  const retrieval = config.candidates?.retrieval
  const sources = (retrieval?.['sources'] ?? {}) as SourceSettings
  const named = new Set(asks.flatMap((ask) => ('sources' in ask ? ask.sources : [])))
  const switchedOn = sourceDefinitions.flatMap(({ name, enabled }) =>
    named.has(name) && !(sources[name]?.enabled ?? enabled) ? [name] : [],
  )
  if (switchedOn.length === 0) return { config, switchedOn }
  const on = Object.fromEntries(switchedOn.map((name) => [name, { ...sources[name], enabled: true }]))
  const candidates = {
    ...config.candidates,
    retrieval: { ...retrieval, sources: { ...sources, ...on } },
  } as EmbeddedConfig['candidates']
  return { config: { ...config, ...(candidates && { candidates }) }, switchedOn }
}
