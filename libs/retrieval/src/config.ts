import { RetrievalConfigError } from './errors.ts'
import { sourceDefinitions } from './source-definitions.ts'
import type { SourceParameters } from './source.ts'

/** One source's part of the configuration. */
export interface SourceConfig {
  readonly enabled: boolean
  /** The most candidates it gives for one request. */
  readonly maxCandidates: number
  /** Its weight in the merge, relative to the others', until the log has taught better; at 0 it is silent beside others. */
  readonly share: number
  /** Left out of a request that has already taken this long when its turn comes, and broken off when it takes longer, milliseconds. */
  readonly deadlineMs: number
  readonly parameters: SourceParameters
}

/** Caps of the shared views and the sources by name, complete. */
export interface RetrievalConfig {
  /** Pins known at most; further ones are counted and not added. */
  readonly maxPins: number
  /** Of these, pins that the catalogue never had at most; beyond that the one idle for longest goes. All may be where they are shown. */
  readonly maxUnlistedPins: number
  /** A pin that the catalogue never had goes when nobody has touched it for so long, milliseconds; not where they are shown. */
  readonly unlistedTtlMs: number
  /** Different creators, topics and locales of pins at most; a pin with a further one is not shown. */
  readonly maxCreators: number
  readonly maxTopics: number
  readonly maxLocales: number
  readonly maxSessions: number
  /** Actions kept of all sessions together; beyond that the sessions whose last action is oldest go. */
  readonly maxSessionActions: number
  readonly maxActionsPerSession: number
  readonly maxSessionsPerPin: number
  /** A pause that ends a session where events bring no session id, milliseconds. */
  readonly sessionGapMs: number
  /** Boards and users in the graph at most; beyond that one that nobody has added to for long goes. */
  readonly maxBoards: number
  /** Pins on boards and in trails of users in the graph at most, where all lists are full. */
  readonly maxEdges: number
  /** Of a pin, the boards and users in the graph, the latest. */
  readonly maxBoardsPerPin: number
  /** Of a board or user, the pins in the graph, the latest. */
  readonly maxPinsPerBoard: number
  /** Saves and unsaves remembered, so that what a withdrawn save taught can be forgotten; of more the earliest go. */
  readonly maxSaves: number
  /** Pins that the sweep of one request looks at; beyond, the next request goes on. */
  readonly maxSweepSteps: number
  /** Of the user's own actions, the latest that sources see. */
  readonly maxRecentActions: number
  /** Whether the merge learns from the log how far to trust each rank of each source; else shares and scores alone count. */
  readonly adaptShares: boolean
  /** Whether pins that the catalogue never had are shown: for data without a catalogue, such as recordings. */
  readonly showUnlistedPins: boolean
  readonly sources: Readonly<Record<string, SourceConfig>>
}

/** What an operator writes: any part of the configuration; the rest keeps its default. */
export interface RetrievalConfigInput extends Partial<Omit<RetrievalConfig, 'sources'>> {
  readonly sources?: Readonly<Record<string, Partial<SourceConfig>>>
}

const caps = {
  maxPins: 4_000_000,
  maxUnlistedPins: 1_000_000,
  unlistedTtlMs: 30 * 86_400_000,
  maxCreators: 4_000_000,
  maxTopics: 1_000_000,
  maxLocales: 2_000,
  maxSessions: 4_000_000,
  maxSessionActions: 40_000_000,
  maxActionsPerSession: 200,
  maxSessionsPerPin: 1_000,
  sessionGapMs: 30 * 60_000,
  maxBoards: 4_000_000,
  maxEdges: 20_000_000,
  maxBoardsPerPin: 500,
  maxPinsPerBoard: 500,
  maxSaves: 1_000_000,
  maxSweepSteps: 100_000,
  maxRecentActions: 200,
} as const

const switches = { adaptShares: true, showUnlistedPins: false } as const

const standardDeadlineMs = 50

/**
 * Completes and checks a configuration. Throws a RetrievalConfigError that lists every problem: `RETRIEVAL_UNKNOWN_SOURCE`
 * where a source's name is not one of ours, else `RETRIEVAL_CONFIG_INVALID`.
 */
export function resolveRetrievalConfig(input: RetrievalConfigInput = {}): RetrievalConfig {
  const problems: string[] = []
  const known = new Map(sourceDefinitions.map((definition) => [definition.name, definition]))
  const unknown = Object.keys(input.sources ?? {}).filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new RetrievalConfigError(
      'RETRIEVAL_UNKNOWN_SOURCE',
      unknown.map((name) => `sources.${name} is not a source; there are ${[...known.keys()].join(', ')}`),
    )
  }
  for (const name of Object.keys(input)) {
    if (name !== 'sources' && !(name in caps) && !(name in switches))
      problems.push(`${name} is not a setting; there are ${Object.keys({ ...caps, ...switches }).join(', ')}, sources`)
  }
  const resolved = Object.fromEntries(
    Object.entries(caps).map(([name, standard]) => {
      const value = input[name as keyof typeof caps] ?? standard
      if (!Number.isInteger(value) || value < 1)
        problems.push(`${name} is ${String(value)}; give a whole number above 0`)
      return [name, value]
    }),
  ) as { readonly [Name in keyof typeof caps]: number }
  const switched = Object.fromEntries(
    Object.entries(switches).map(([name, standard]) => {
      const value: unknown = input[name as keyof typeof switches] ?? standard
      if (typeof value !== 'boolean') problems.push(`${name} is ${String(value)}; give true or false`)
      return [name, value === true]
    }),
  ) as { readonly [Name in keyof typeof switches]: boolean }
  const sources: Record<string, SourceConfig> = {}
  for (const definition of sourceDefinitions) {
    const given = input.sources?.[definition.name] ?? {}
    const where = `sources.${definition.name}`
    for (const name of Object.keys(given)) {
      if (!['enabled', 'maxCandidates', 'share', 'deadlineMs', 'parameters'].includes(name))
        problems.push(`${where}.${name} is not a setting`)
    }
    const maxCandidates = given.maxCandidates ?? definition.maxCandidates
    const share = given.share ?? definition.share
    if (!Number.isInteger(maxCandidates) || maxCandidates < 1 || maxCandidates > 10_000) {
      problems.push(`${where}.maxCandidates is ${String(maxCandidates)}; give a whole number from 1 to 10000`)
    }
    if (!Number.isFinite(share) || share < 0) problems.push(`${where}.share is ${String(share)}; give a number from 0`)
    const deadlineMs = given.deadlineMs ?? standardDeadlineMs
    if (!Number.isFinite(deadlineMs) || deadlineMs < 0) {
      problems.push(`${where}.deadlineMs is ${String(deadlineMs)}; give milliseconds from 0`)
    }
    const parameters: Record<string, number | boolean> = { ...definition.parameters }
    for (const [name, value] of Object.entries(given.parameters ?? {})) {
      const standard = definition.parameters[name]
      if (standard === undefined) problems.push(`${where}.parameters.${name} is not a parameter`)
      else if (typeof value !== typeof standard)
        problems.push(`${where}.parameters.${name} must be a ${typeof standard}`)
      else if (typeof value === 'number' && (!Number.isFinite(value) || value < 0)) {
        problems.push(`${where}.parameters.${name} is ${String(value)}; give a number from 0`)
      } else parameters[name] = value
    }
    sources[definition.name] = {
      enabled: given.enabled ?? definition.enabled,
      maxCandidates,
      share,
      deadlineMs,
      parameters,
    }
  }
  if (problems.length > 0) throw new RetrievalConfigError('RETRIEVAL_CONFIG_INVALID', problems)
  return { ...resolved, ...switched, sources }
}
