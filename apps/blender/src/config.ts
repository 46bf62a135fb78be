import { callSettings, kafkaSchema, redisSchema } from '@freshet/adapters/settings'
import { grpcSettings, httpSettings, serviceSettings } from '@freshet/service/settings'
import { wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** What an operator sets of the blender. */
export const blenderSchema = z.strictObject({
  defaultTimeoutMs: wholeSetting(500, {
    description: 'Time for an answer where the caller gave no deadline',
    unit: 'ms',
    min: 10,
    max: 60_000,
  }),
  maxTimeoutMs: wholeSetting(60_000, {
    description: 'Time for an answer at most, whatever the caller gave',
    unit: 'ms',
    min: 10,
    max: 600_000,
  }),
  answerReserveMs: wholeSetting(15, {
    description: 'Part of the time kept for a lower rung of the ladder and for the way back; at most a quarter of it',
    unit: 'ms',
    min: 0,
    max: 10_000,
  }),
  userStateBudgetMs: wholeSetting(60, {
    description: 'Time for reading the user state',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  awaitBudgetMs: wholeSetting(250, {
    description: 'Time for waiting until the events of given tokens are reflected',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  retrieveBudgetMs: wholeSetting(120, { description: 'Time for finding candidates', unit: 'ms', min: 1, max: 60_000 }),
  rankBudgetMs: wholeSetting(120, { description: 'Time for ranking them', unit: 'ms', min: 1, max: 60_000 }),
  recordBudgetMs: wholeSetting(60, {
    description: 'Time for recording what was served, before the answer',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  maxCandidates: wholeSetting(500, {
    description: 'Candidates asked for',
    unit: 'candidates',
    min: 1,
    max: 2_000,
  }),
  minCandidates: wholeSetting(200, {
    description:
      'Candidates below which the catalogue is swept for pins the user was not shown; 0: never, and feeds may end early',
    unit: 'candidates',
    min: 0,
    max: 2_000,
  }),
  servedWindowMs: wholeSetting(6 * hourMs, {
    description: 'No pin twice on the home feed within this time',
    unit: 'ms',
    min: 1_000,
    max: 30 * dayMs,
  }),
  maxServedPins: wholeSetting(5_000, {
    description: 'Served pins kept per user within the window; beyond, the oldest may come again',
    unit: 'pins',
    min: 100,
    max: 20_000,
  }),
  pageSessionTtlMs: wholeSetting(2 * hourMs, {
    description: 'How long after the first page a page token is taken',
    unit: 'ms',
    min: 1_000,
    max: 30 * dayMs,
  }),
  maxRememberedUsers: wholeSetting(10_000, {
    description: 'Users whose last good feed is kept in memory',
    unit: 'users',
    min: 1,
    max: 10_000_000,
  }),
  lastGoodPins: wholeSetting(200, {
    description: 'Pins kept of a last good feed',
    unit: 'pins',
    min: 1,
    max: 2_000,
  }),
  lastGoodIntervalMs: wholeSetting(60_000, {
    description: "Time between two writes of a user's last good feed to the state store",
    unit: 'ms',
    min: 0,
    max: dayMs,
  }),
  lastGoodTtlMs: wholeSetting(dayMs, {
    description: 'How long a last good feed is kept in the state store',
    unit: 'ms',
    min: 1_000,
    max: 30 * dayMs,
  }),
  popularRefreshMs: wholeSetting(5_000, {
    description: 'Time between two refreshes of what is popular',
    unit: 'ms',
    min: 100,
    max: hourMs,
  }),
  maxPopularLocales: wholeSetting(16, {
    description: 'Locales for which what is popular is kept in memory; others get what is popular everywhere',
    unit: 'locales',
    min: 0,
    max: 1_000,
  }),
  pointerRefreshMs: wholeSetting(1_000, {
    description: 'How long the generation of user state that serves is believed without asking again',
    unit: 'ms',
    min: 0,
    max: 60_000,
  }),
  showUnlistedPins: z.boolean().default(false).meta({
    description:
      'Whether pins that the catalogue never had are shown: for data without a catalogue; `candidates.retrieval.showUnlistedPins` goes with it',
  }),
  maxPins: wholeSetting(4_000_000, {
    description:
      'Pins whose deletion, creator, topics and locale the filters know; further ones are counted and not shown',
    unit: 'pins',
    min: 1,
    max: 100_000_000,
  }),
  maxLocales: wholeSetting(2_000, {
    description:
      'Different locales of pins; pins of further ones are counted, and shown to nobody who asks for a locale',
    unit: 'locales',
    min: 1,
    max: 60_000,
  }),
  maxBodyBytes: wholeSetting(1 << 20, {
    description: 'Largest HTTP request body that is taken',
    unit: 'bytes',
    min: 1_024,
    max: 16 << 20,
  }),
  maxBatchRecords: wholeSetting(2_000, {
    description: 'Records read from the log at a time',
    unit: 'records',
    min: 1,
    max: 100_000,
  }),
  maxUnwrittenFeeds: wholeSetting(5_000, {
    description: 'Feeds waiting to be written to `feeds-served.v1`; beyond, they are dropped and counted',
    unit: 'feeds',
    min: 1,
    max: 1_000_000,
  }),
  unwrittenLingerMs: wholeSetting(50, {
    description: 'How long a feed waits for others before they are written to `feeds-served.v1` together',
    unit: 'ms',
    min: 0,
    max: 10_000,
  }),
  recordFeatures: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether `feeds-served.v1` holds the features as used: training data' }),
  maxUnshownCandidates: wholeSetting(24, {
    description:
      'Candidates that were not shown which a record of `feeds-served.v1` samples, with why; 0: none. Each costs about 40 bytes',
    unit: 'candidates',
    min: 0,
    max: 500,
  }),
  seed: z.int().min(0).max(0xffffffff).default(1).meta({ description: 'Orders ties; the same on every instance' }),
})

/** What `blenderSchema` parses to. */
export type BlenderConfig = z.output<typeof blenderSchema>

/** What an operator sets of the process. */
export const processSchema = z.object({
  ...serviceSettings(9468),
  kafka: kafkaSchema,
  redis: redisSchema,
  grpc: z.object(grpcSettings(7070)),
  http: z.object(httpSettings(8070)),
  cors: z.object({
    origins: z.array(z.string()).default([]).meta({
      description: 'Origins of web pages that may ask for feeds, such as `https://www.example.org`; `*`: all',
    }),
  }),
  candidateService: z.object(callSettings('127.0.0.1:7071')),
  ranker: z.object(callSettings('127.0.0.1:7072')),
  blender: blenderSchema,
})
