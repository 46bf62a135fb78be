import { defaultPinLimits } from '@freshet/domain/pin-state'
import { defaultUserLimits } from '@freshet/domain/user-state'
import { kafkaSchema, redisSchema } from '@freshet/adapters/settings'
import { serviceSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { onwardForms } from './rekeying.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

function whole(value: number, min: number, max: number, description: string, unit: string) {
  return z.int().min(min).max(max).default(value).meta({ description, unit })
}

/** How events are folded. What changes a decision (dedupe, caps) changes what a rebuild gives. */
export const foldSettings = {
  maxAheadMs: whole(
    300_000,
    0,
    dayMs,
    'How far an event time may be ahead of its receipt; beyond, it is set to this bound',
    'ms',
  ),
  dedupeWindowMs: whole(
    dayMs,
    60_000,
    30 * dayMs,
    'How long after an event was received a repeat of its id is dropped, by the clocks of ingest; a later one counts again',
    'ms',
  ),
  dedupeGenerations: whole(
    2,
    1,
    24,
    'Into how many generations the dedupe window is cut; one more is kept',
    'generations',
  ),
  dedupeTtlMs: whole(
    3 * dayMs,
    60_000,
    90 * dayMs,
    'Wall-clock time after which a generation of event ids that got nothing more is forgotten; longer than `fold.dedupeWindowMs` by a generation at least, and by how long an updater may stand still',
    'ms',
  ),
  userTtlMs: whole(90 * dayMs, hourMs, 3650 * dayMs, 'A user of whom nothing is heard for this long is dropped', 'ms'),
  pinTtlMs: whole(180 * dayMs, hourMs, 3650 * dayMs, 'A pin that nobody touches for this long is dropped', 'ms'),
  compactAfterBytes: whole(
    1280,
    0,
    60_000,
    "What a user did is appended to the user's value; a tail longer than this is folded into the rest",
    'bytes',
  ),
  maxRecentActions: whole(
    defaultUserLimits.maxRecentActions,
    1,
    1000,
    'Last actions kept per user; the oldest go',
    'actions',
  ),
  maxRelationsPerKind: whole(
    defaultUserLimits.maxRelationsPerKind,
    1,
    100_000,
    'Follows, hides, blocks and reports kept per user by id, of each kind: those that changed last, taken back or not',
    'relations',
  ),
  maxOlderRelationsPerKind: whole(
    defaultUserLimits.maxOlderRelations,
    1,
    100_000,
    'Hides, blocks and reports kept per user beyond those, of each kind, by hash: 12 bytes each; the oldest go and count no more',
    'relations',
  ),
  maxUserBoards: whole(
    defaultUserLimits.maxBoards,
    1,
    1000,
    'Boards with a weight kept per user; the lightest goes',
    'boards',
  ),
  maxRecentlySeen: whole(
    defaultUserLimits.seen.maxRecent,
    1,
    5000,
    'Pins seen last that are kept with their time, per user',
    'pins',
  ),
  seenGenerationMs: whole(
    defaultUserLimits.seen.generationMs,
    hourMs,
    365 * dayMs,
    'Length of a generation of the filter of older seen pins; two are kept',
    'ms',
  ),
  maxSeenPerGeneration: whole(
    defaultUserLimits.seen.maxPerGeneration,
    1,
    100_000,
    'Pins in one generation of that filter; a pin not seen is taken for seen with probability n / 2^20',
    'pins',
  ),
  sessionGapMs: whole(defaultUserLimits.sessions.gapMs, 1000, dayMs, 'A longer silence than this ends a session', 'ms'),
  maxSessions: whole(
    defaultUserLimits.sessions.maxKept,
    1,
    1000,
    'Sessions kept with their times, per user',
    'sessions',
  ),
  maxPinBoards: whole(
    defaultPinLimits.maxBoards,
    1,
    10_000,
    'Boards kept per pin; those saved to longest ago go',
    'boards',
  ),
} as const

/** How the updater reads and caches. None of it changes what is folded. */
export const updaterSettings = {
  group: z
    .string()
    .min(1)
    .default('feature-updater')
    .meta({ description: 'Consumer group: its members share the partitions' }),
  instance: z
    .string()
    .regex(/^(@hostname|@auto|[\w.-]{0,249})$/)
    .default('@auto')
    .meta({
      description:
        "Name of this process that it keeps when started again, so that it takes its partitions back at once; `@auto`: the host's where the platform gives it to one process only (pods of a StatefulSet, containers); `@hostname`: the host's; empty: none, they wait for the session to end, about 9 s",
    }),
  maxBatchRecords: whole(
    2000,
    1,
    10_000,
    'Records folded in one commit at most: as many as wait, so few while there is no backlog',
    'records',
  ),
  onward: z.enum(onwardForms).default('batches').meta({
    description:
      'Records that user state sends on to pin state: `batches`, one for each batch and target partition; `events`, one for each engagement, while updaters of 0.1 or before are still in the group',
  }),
  cacheBytes: whole(
    128 << 20,
    0,
    2 ** 40,
    'Memory for what is kept of the partitions owned: decoded pins, and how much was appended to each user',
    'bytes',
  ),
  haltBadShare: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.5)
    .meta({ description: 'A partition halts when at least this share of its last records is bad', unit: 'share' }),
  haltWindowRecords: whole(500, 1, 1_000_000, 'How many of the last records that share is of', 'records'),
  haltMinBadRecords: whole(100, 1, 1_000_000, 'It never halts for fewer bad records than this', 'records'),
  generationPollMs: whole(
    1000,
    0,
    60_000,
    'How often it is asked which generation serves, so that a switch after a rebuild is noticed; 0: at assignments only',
    'ms',
  ),
  logCheckMs: whole(
    5000,
    0,
    hourMs,
    'How often it is checked that the log is the one that the state was folded from; 0: at assignments only',
    'ms',
  ),
  canaryEveryMs: whole(10_000, 0, hourMs, 'How often a canary event is sent through the whole path; 0: never', 'ms'),
  stalledAfterMs: whole(
    60_000,
    1000,
    hourMs,
    'The process is no longer alive when records wait and none was folded for this long',
    'ms',
  ),
} as const

/** The whole configuration of the feature updater but for what every service has. */
export const updaterConfig = z.object({ fold: z.object(foldSettings), updater: z.object(updaterSettings) })

/** What the process takes. */
export const processSchema = z.object({
  ...serviceSettings(9465),
  kafka: kafkaSchema,
  redis: redisSchema,
  fold: z.object(foldSettings),
  updater: z.object(updaterSettings),
})

/** What `foldSettings` parse to. */
export type FoldConfig = z.output<z.ZodObject<typeof foldSettings>>

/** What `foldSettings` and `updaterSettings` parse to. */
export type UpdaterConfig = z.output<typeof updaterConfig>

/** The defaults, with some of them replaced. Throws a RangeError where event ids would be forgotten within the dedupe window. */
export function updaterConfigOf(
  given: { readonly fold?: Partial<FoldConfig>; readonly updater?: Partial<UpdaterConfig['updater']> } = {},
): UpdaterConfig {
  return checkedConfig(updaterConfig.parse({ fold: given.fold ?? {}, updater: given.updater ?? {} }))
}

/** The same configuration. Throws a RangeError where `fold.dedupeTtlMs` is too short for `fold.dedupeWindowMs`: ids would be forgotten within the window. */
export function checkedConfig(config: UpdaterConfig): UpdaterConfig {
  const { dedupeTtlMs, dedupeWindowMs, dedupeGenerations } = config.fold
  const leastMs = dedupeWindowMs + dedupeWindowMs / dedupeGenerations
  if (dedupeTtlMs < leastMs) {
    throw new RangeError(
      `fold.dedupeTtlMs (${dedupeTtlMs}) is below ${leastMs}, which is fold.dedupeWindowMs and one of its generations: repeats would be folded twice`,
    )
  }
  return config
}

/** Settings that were removed, and what to do instead. */
export const removedSettings: Readonly<Record<string, string>> = {
  'fold.allowedLatenessMs':
    'ingest.maxEventAgeDays of event-ingest, beyond which events are refused; whatever is accepted counts, however late',
}
