import { defaultPinLimits } from '@freshet/domain/pin-state'
import { defaultUserLimits } from '@freshet/domain/user-state'
import { kafkaSchema, redisSchema } from '@freshet/adapters/settings'
import { serviceSettings } from '@freshet/service/settings'
import { wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { onwardForms } from './rekeying.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Settings of the fold. A different dedupe window or cap changes the result of a rebuild. */
export const foldSettings = {
  maxAheadMs: wholeSetting(300_000, {
    description:
      'An event may claim to happen at most this long after the service received it. The updater sets later times to this bound',
    unit: 'ms',
    min: 0,
    max: dayMs,
  }),
  dedupeWindowMs: wholeSetting(dayMs, {
    description:
      'The updater drops an event whose id it has seen within this time, by the clock of ingest. A later repeat counts again',
    unit: 'ms',
    min: 60_000,
    max: 30 * dayMs,
  }),
  dedupeGenerations: wholeSetting(2, {
    description: 'The dedupe window is split into this many generations. The updater keeps one more than this',
    unit: 'generations',
    min: 1,
    max: 24,
  }),
  dedupeTtlMs: wholeSetting(3 * dayMs, {
    description:
      'The updater forgets a generation of event ids that has received nothing for this time, by the wall clock. Must exceed `fold.dedupeWindowMs` by at least one generation and by the longest pause of an updater',
    unit: 'ms',
    min: 60_000,
    max: 90 * dayMs,
  }),
  userTtlMs: wholeSetting(90 * dayMs, {
    description: 'The store deletes a user who has no events for this long',
    unit: 'ms',
    min: hourMs,
    max: 3650 * dayMs,
  }),
  pinTtlMs: wholeSetting(180 * dayMs, {
    description: 'The store deletes a pin that nobody has touched for this long',
    unit: 'ms',
    min: hourMs,
    max: 3650 * dayMs,
  }),
  compactAfterBytes: wholeSetting(1280, {
    description:
      'The updater appends actions to the value of a user. It folds the appended tail into the rest when the tail is longer than this',
    unit: 'bytes',
    min: 0,
    max: 60_000,
  }),
  maxRecentActions: wholeSetting(defaultUserLimits.maxRecentActions, {
    description: 'The state of a user keeps at most this many actions. The updater drops the oldest first',
    unit: 'actions',
    min: 1,
    max: 1000,
  }),
  maxRelationsPerKind: wholeSetting(defaultUserLimits.maxRelationsPerKind, {
    description:
      'The state of a user keeps at most this many follows, hides, blocks and reports of each kind by id: those that changed last',
    unit: 'relations',
    min: 1,
    max: 100_000,
  }),
  maxOlderRelationsPerKind: wholeSetting(defaultUserLimits.maxOlderRelations, {
    description:
      'The state of a user keeps at most this many older hides, blocks and reports of each kind by hash, 12 bytes each. The updater drops the oldest first',
    unit: 'relations',
    min: 1,
    max: 100_000,
  }),
  maxUserBoards: wholeSetting(defaultUserLimits.maxBoards, {
    description: 'The state of a user keeps weights for at most this many boards. The updater drops the lightest first',
    unit: 'boards',
    min: 1,
    max: 1000,
  }),
  maxRecentlySeen: wholeSetting(defaultUserLimits.seen.maxRecent, {
    description: 'The state of a user keeps at most this many recently seen pins with their time',
    unit: 'pins',
    min: 1,
    max: 5000,
  }),
  seenGenerationMs: wholeSetting(defaultUserLimits.seen.generationMs, {
    description: 'Length of one generation of the filter for older seen pins. The state keeps two generations',
    unit: 'ms',
    min: hourMs,
    max: 365 * dayMs,
  }),
  maxSeenPerGeneration: wholeSetting(defaultUserLimits.seen.maxPerGeneration, {
    description:
      'Pins in one generation of that filter. With n pins the filter takes an unseen pin for seen with probability n / 2^20',
    unit: 'pins',
    min: 1,
    max: 100_000,
  }),
  sessionGapMs: wholeSetting(defaultUserLimits.sessions.gapMs, {
    description: 'A longer pause ends a session',
    unit: 'ms',
    min: 1000,
    max: dayMs,
  }),
  maxSessions: wholeSetting(defaultUserLimits.sessions.maxKept, {
    description: 'The state of a user keeps at most this many sessions with their times',
    unit: 'sessions',
    min: 1,
    max: 1000,
  }),
  maxPinBoards: wholeSetting(defaultPinLimits.maxBoards, {
    description: 'The state of a pin keeps at most this many boards. The updater drops the boards saved to longest ago',
    unit: 'boards',
    min: 1,
    max: 10_000,
  }),
  mergeForwardMs: wholeSetting(30 * dayMs, {
    description:
      'After a user was merged into another, what still comes under the old id goes to the other user for this long, by the clock of ingest. Later events count for the old id alone, until it is merged again',
    unit: 'ms',
    min: 0,
    max: 3650 * dayMs,
  }),
  maxMergedUsers: wholeSetting(64, {
    description:
      'The state of a user keeps the ids of at most this many users who were merged into it, so that a merge in a circle is refused. It drops the oldest first',
    unit: 'users',
    min: 1,
    max: 1000,
  }),
} as const

/** Settings of reading and caching. They do not change the state. */
export const updaterSettings = {
  group: z
    .string()
    .min(1)
    .default('feature-updater')
    .meta({ description: 'Consumer group. Its members share the partitions' }),
  instance: z
    .string()
    .regex(/^(@hostname|@auto|[\w.-]{0,249})$/)
    .default('@auto')
    .meta({
      description:
        'Name that this process keeps across restarts, so that it gets its partitions back at once. `@auto`: the host name where only one process has it (pods of a StatefulSet, containers). `@hostname`: the host name. Empty: no name; the partitions wait about 9 s for the old session to end',
    }),
  maxBatchRecords: wholeSetting(2000, {
    description:
      'The updater commits at most this many records at once. It commits whatever is waiting, so batches are small without a backlog',
    unit: 'records',
    min: 1,
    max: 10_000,
  }),
  onward: z.enum(onwardForms).default('batches').meta({
    description:
      'What user state sends on to pin state: `batches`, one record for each batch and target partition; `events`, one record for each engagement, while updaters of version 0.1 or earlier are still in the group',
  }),
  cacheBytes: wholeSetting(128 << 20, {
    description:
      'Memory for cached state of the owned partitions: decoded pins, and the length of the tail of each user',
    unit: 'bytes',
    min: 0,
    max: 2 ** 40,
  }),
  haltBadShare: z.number().min(0.01).max(1).default(0.5).meta({
    description: 'A partition halts when at least this share of its last `updater.haltWindowRecords` records is bad',
    unit: 'share',
  }),
  haltWindowRecords: wholeSetting(500, {
    description: 'Size of the window of recent records for `updater.haltBadShare`',
    unit: 'records',
    min: 1,
    max: 1_000_000,
  }),
  haltMinBadRecords: wholeSetting(100, {
    description: 'A partition never halts for fewer bad records than this',
    unit: 'records',
    min: 1,
    max: 1_000_000,
  }),
  generationPollMs: wholeSetting(1000, {
    description:
      'Time between two checks of which generation serves, so that the updater notices a switch after a rebuild; 0: only at assignments',
    unit: 'ms',
    min: 0,
    max: 60_000,
  }),
  logCheckMs: wholeSetting(5000, {
    description:
      'Time between two checks that the log is the one that the state was folded from; 0: only at assignments',
    unit: 'ms',
    min: 0,
    max: hourMs,
  }),
  canaryEveryMs: wholeSetting(10_000, {
    description: 'Time between two canary events that the updater sends through the whole path; 0: never',
    unit: 'ms',
    min: 0,
    max: hourMs,
  }),
  stalledAfterMs: wholeSetting(60_000, {
    description: 'The process reports that it is not alive when records wait and it has folded none for this long',
    unit: 'ms',
    min: 1000,
    max: hourMs,
  }),
} as const

/** Settings of the feature updater without those that every service has. */
export const updaterConfig = z.object({ fold: z.object(foldSettings), updater: z.object(updaterSettings) })

/** Settings of the process. */
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

/** The defaults, with some of them replaced. Throws a RangeError if the updater would forget event ids within the dedupe window. */
export function updaterConfigOf(
  given: { readonly fold?: Partial<FoldConfig>; readonly updater?: Partial<UpdaterConfig['updater']> } = {},
): UpdaterConfig {
  return checkedConfig(updaterConfig.parse({ fold: given.fold ?? {}, updater: given.updater ?? {} }))
}

/** Returns the configuration. Throws a RangeError if `fold.dedupeTtlMs` is too short for `fold.dedupeWindowMs`: the updater would forget ids within the window. */
export function checkedConfig(config: UpdaterConfig): UpdaterConfig {
  const { dedupeTtlMs, dedupeWindowMs, dedupeGenerations } = config.fold
  const leastMs = dedupeWindowMs + dedupeWindowMs / dedupeGenerations
  if (dedupeTtlMs < leastMs) {
    throw new RangeError(
      `fold.dedupeTtlMs (${dedupeTtlMs}) is below ${leastMs}, which is fold.dedupeWindowMs plus one of its generations: the updater would fold repeats twice`,
    )
  }
  return config
}

/** Removed settings by path, with their successors. */
export const removedSettings: Readonly<Record<string, string>> = {
  'fold.allowedLatenessMs':
    'ingest.maxEventAgeDays of event-ingest, which rejects older events; every accepted event counts, however late',
}
