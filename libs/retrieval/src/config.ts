import { flagSetting, numberSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { RetrievalConfigError } from './errors.ts'
import { sourceDefinitions } from './source-definitions.ts'
import type { SourceDefinition, SourceParameters } from './source.ts'

const dayMs = 86_400_000
const maxCap = 1_000_000_000

function cap(value: number, unit: string, description: string) {
  return wholeSetting(value, { description, unit, min: 1, max: maxCap })
}

function duration(valueMs: number, description: string) {
  return wholeSetting(valueMs, { description, unit: 'ms', min: 1, max: 3_650 * dayMs })
}

/** Settings of the views that all sources share. */
const viewSettings = {
  maxPins: cap(4_000_000, 'pins', 'The views hold at most this many pins. They count further pins and ignore them'),
  maxUnlistedPins: cap(
    1_000_000,
    'pins',
    'The views hold at most this many pins that are not in the catalogue. When they need room they drop the pin that was idle longest. With `showUnlistedPins` only `maxPins` applies',
  ),
  unlistedTtlMs: duration(
    30 * dayMs,
    'The views drop a pin that is not in the catalogue when nobody has touched it for this long. They keep it with `showUnlistedPins`',
  ),
  maxCreators: cap(
    4_000_000,
    'creators',
    'The views know at most this many creators. Pins of further creators are not shown',
  ),
  maxTopics: cap(1_000_000, 'topics', 'The views know at most this many topics. Pins of further topics are not shown'),
  maxLocales: cap(2_000, 'locales', 'The views know at most this many locales. Pins of further locales are not shown'),
  maxSessions: cap(4_000_000, 'sessions', 'The views hold at most this many sessions. They drop the oldest first'),
  maxSessionActions: cap(
    40_000_000,
    'actions',
    'The views hold at most this many actions of all sessions together. They drop the sessions with the oldest last action first',
  ),
  maxActionsPerSession: cap(200, 'actions', 'The views hold at most this many actions of each session'),
  maxSessionsPerPin: cap(1_000, 'sessions', 'The views hold at most this many of the latest sessions of each pin'),
  sessionGapMs: duration(30 * 60_000, 'A pause that ends a session, for events without a session id'),
  maxBoards: cap(
    4_000_000,
    'boards',
    'The graph holds at most this many boards and users. When it needs room it drops one that nobody has added to for long',
  ),
  maxEdges: cap(20_000_000, 'edges', 'The graph holds at most this many pins on boards and in trails of users'),
  maxBoardsPerPin: cap(500, 'boards', 'The graph holds at most this many of the latest boards and users of each pin'),
  maxPinsPerBoard: cap(500, 'pins', 'The graph holds at most this many of the latest pins of each board or user'),
  maxSaves: cap(
    1_000_000,
    'saves',
    'The views remember at most this many saves and unsaves, so that they can forget what a withdrawn save taught. They drop the oldest first',
  ),
  maxUsersPerAddress: wholeSetting(3, {
    description:
      'In popularity and trending at most this many users of one address (of IPv6, a /48) count for a pin on a day, among users without a read token whom a write key reports; 0: any number',
    unit: 'users',
    min: 0,
    max: 64,
  }),
  maxAddresses: cap(
    1_000_000,
    'pairs',
    'The views remember for at most this many pairs of a pin and an address which users count, at the default of `maxUsersPerAddress` up to about 120 bytes each. They drop the oldest first',
  ),
  maxSweepSteps: cap(
    100_000,
    'pins',
    'The sweep of one request looks at no more than this many pins. The next request continues there',
  ),
  maxRecentActions: cap(200, 'actions', "Sources see at most this many of the user's latest actions"),
  adaptShares: flagSetting(
    true,
    'Whether the merge learns from the log how much to trust each rank of each source. Otherwise it uses only shares and scores',
  ),
  showUnlistedPins: flagSetting(
    false,
    'Whether pins that are not in the catalogue are shown, for data without a catalogue such as recordings',
  ),
} as const

function sourceSettings({ name, enabled, maxCandidates, share, parameters }: SourceDefinition) {
  return z.strictObject({
    enabled: flagSetting(enabled, `Whether the source ${name} is asked for candidates`),
    maxCandidates: wholeSetting(maxCandidates, {
      description: 'The source gives at most this many candidates for each request',
      unit: 'candidates',
      min: 1,
      max: 10_000,
    }),
    share: numberSetting(share, {
      description:
        'Weight of the source in the merge relative to other sources, until the merge has learned better from the log; at 0 the source counts only where no other source answers',
      unit: 'weight',
      min: 0,
      max: 1_000,
    }),
    deadlineMs: numberSetting(50, {
      description:
        'The source is skipped if a request has taken longer than this when its turn comes, and interrupted if it takes longer itself',
      unit: 'ms',
      min: 0,
      max: 60_000,
    }),
    parameters: z.strictObject(parameters).prefault({}),
  })
}

/** One source's part of the configuration. */
export interface SourceConfig {
  readonly enabled: boolean
  readonly maxCandidates: number
  readonly share: number
  readonly deadlineMs: number
  readonly parameters: SourceParameters
}

type Sources<Each> = Readonly<Record<string, Each>>

const sourcesSchema = z
  .strictObject(
    Object.fromEntries(sourceDefinitions.map((source) => [source.name, sourceSettings(source).prefault({})])),
  )
  .prefault({}) as unknown as z.ZodPrefault<z.ZodType<Sources<SourceConfig>, Sources<Partial<SourceConfig>>>>

/** The settings of the views and of every source by name. */
export const retrievalSchema = z.strictObject({ ...viewSettings, sources: sourcesSchema })

/** What `retrievalSchema` parses to. */
export type RetrievalConfig = z.output<typeof retrievalSchema>

/** What an operator writes: any part of the configuration; the rest keeps its default. */
export interface RetrievalConfigInput extends Partial<Omit<RetrievalConfig, 'sources'>> {
  readonly sources?: Sources<Partial<SourceConfig>>
}

/**
 * Completes and checks a configuration. Throws a RetrievalConfigError that lists every problem: `RETRIEVAL_UNKNOWN_SOURCE`
 * where a source's name is not one of ours, else `RETRIEVAL_CONFIG_INVALID`.
 */
export function resolveRetrievalConfig(input: RetrievalConfigInput = {}): RetrievalConfig {
  const parsed = retrievalSchema.safeParse(input)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const unknown = issues.filter(({ code, path }) => code === 'unrecognized_keys' && path.join('.') === 'sources')
  if (unknown.length > 0) throw new RetrievalConfigError('RETRIEVAL_UNKNOWN_SOURCE', unknown.flatMap(toProblems))
  throw new RetrievalConfigError('RETRIEVAL_CONFIG_INVALID', issues.flatMap(toProblems))
}

function toProblems(issue: z.core.$ZodIssue): readonly string[] {
  const path = issue.path.map(String)
  if (issue.code !== 'unrecognized_keys') return [`${path.join('.')}: ${issue.message}`]
  const what =
    path.join('.') === 'sources'
      ? `is not a source; the sources are ${sourceDefinitions.map(({ name }) => name).join(', ')}`
      : 'is not a setting'
  return issue.keys.map((key) => `${[...path, key].join('.')} ${what}`)
}
