import { webOriginSchema } from '@freshet/access/web-origin'
import { callSettings, kafkaSchema, redisSchema } from '@freshet/adapters/settings'
import { limitSettings } from '@freshet/service/rate-settings'
import { pseudonymsSchema } from '@freshet/adapters/system/pseudonyms'
import { grpcSettings, httpSettings, serviceSettings } from '@freshet/service/settings'
import { numberSetting, optionalTextSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { utilityTuningSchema } from './experiments/config.ts'
import { orderingSchema } from './ordering/config.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

function keySetting(description: string) {
  return z.string().min(16).max(1_024).nullable().default(null).meta({ description, secret: true })
}

/** Settings of the blender. */
export const blenderSchema = z.strictObject({
  defaultTimeoutMs: wholeSetting(500, {
    description: 'Deadline of a request without a deadline of its own',
    unit: 'ms',
    min: 10,
    max: 60_000,
  }),
  maxTimeoutMs: wholeSetting(60_000, {
    description: 'Maximum deadline of a request, whatever the caller asks for',
    unit: 'ms',
    min: 10,
    max: 600_000,
  }),
  answerReserveMs: wholeSetting(15, {
    description:
      'Time that the blender keeps for a fallback and for sending the answer. It never keeps more than a quarter of the deadline',
    unit: 'ms',
    min: 0,
    max: 10_000,
  }),
  userStateBudgetMs: wholeSetting(60, {
    description: 'Time limit for reading the state of the user',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  awaitBudgetMs: wholeSetting(250, {
    description: 'Time limit for waiting until the state reflects the events of the given tokens',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  retrieveBudgetMs: wholeSetting(120, {
    description: 'Time limit for retrieving candidates',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  rankBudgetMs: wholeSetting(120, {
    description: 'Time limit for ranking the candidates',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  recordBudgetMs: wholeSetting(120, {
    description: 'Time limit for recording the served pins before the answer is sent',
    unit: 'ms',
    min: 1,
    max: 60_000,
  }),
  maxCandidates: wholeSetting(300, {
    description: 'Number of candidates that the blender asks the candidate service for',
    unit: 'candidates',
    min: 1,
    max: 2_000,
  }),
  relatedCandidates: wholeSetting(50, {
    description:
      'Number of candidates for related pins, at least two for each pin of the page. Fewer are more like the open pin; more leave more to what the user likes',
    unit: 'candidates',
    min: 1,
    max: 2_000,
  }),
  relatedOrder: z.enum(['sources', 'model']).default('sources').meta({
    description:
      'What orders related pins: `sources`, how much the sources, which start from the open pin, make of each pin, and its topics; or `model`, the serving model, which has learned what users do on the home feed',
  }),
  relatedTopicFactor: numberSetting(4, {
    description:
      'With `relatedOrder` `sources`, a pin that has all topics of the open pin counts this many times as much as one that has none of them. 1: topics do not count',
    unit: 'factor',
    min: 1,
    max: 1_000,
  }),
  minCandidates: wholeSetting(200, {
    description:
      'If its sources find fewer candidates than this, the candidate service also sweeps the catalogue for pins that the user has not seen. 0: it never sweeps, and feeds may end early',
    unit: 'candidates',
    min: 0,
    max: 2_000,
  }),
  servedWindowMs: wholeSetting(6 * hourMs, {
    description: 'The home feed shows no pin twice within this time',
    unit: 'ms',
    min: 1_000,
    max: 30 * dayMs,
  }),
  maxServedPins: wholeSetting(5_000, {
    description:
      'The blender remembers at most this many served pins of each user. It forgets the oldest first, and may show them again',
    unit: 'pins',
    min: 100,
    max: 20_000,
  }),
  pageSessionTtlMs: wholeSetting(2 * hourMs, {
    description: 'A page token is valid for this long after the first page',
    unit: 'ms',
    min: 1_000,
    max: 30 * dayMs,
  }),
  maxInFlight: wholeSetting(256, {
    description:
      'The blender answers at most this many requests for feeds at the same time. It refuses further ones at once, so that those under way are in time',
    unit: 'requests',
    min: 1,
    max: 100_000,
  }),
  maxAtOnce: wholeSetting(8, {
    description:
      'The blender works at this many feeds at the same time. Further ones wait for their turn, so that the time limits of stages do not run while other feeds are made. Requests with tokens do not wait',
    unit: 'requests',
    min: 1,
    max: 100_000,
  }),
  maxPrefetchInFlight: wholeSetting(64, {
    description: 'The blender refuses requests with `prefetch` while it answers this many requests',
    unit: 'requests',
    min: 0,
    max: 100_000,
  }),
  cursorKey: keySetting(
    'Key that signs page tokens, at least 16 characters: the same on every blender, so that any of them serves the next page. null: the blenders agree on a random key in the state store',
  ),
  previousCursorKey: keySetting(
    'Key that is still accepted in page tokens. To replace the key: set the new one as the previous key on every blender, then exchange the two, then remove the old one after `pageSessionTtlMs`',
  ),
  maxReservePins: wholeSetting(200, {
    description:
      'The state store keeps at most this many ranked pins of a page session, about 60 bytes each. Next pages come from them, without retrieval. 0: none, each page is made from scratch',
    unit: 'pins',
    min: 0,
    max: 2_000,
  }),
  pagesRankedAgain: numberSetting(3, {
    description:
      'For a next page, the ranker ranks the best pins of the page session again, as many as fill this many pages. The page comes from them',
    unit: 'pages',
    min: 1,
    max: 20,
  }),
  reserveTtlMs: wholeSetting(hourMs / 2, {
    description: 'The state store keeps the ranked pins of a page session for this long',
    unit: 'ms',
    min: 1_000,
    max: dayMs,
  }),
  maxRememberedUsers: wholeSetting(10_000, {
    description: 'The blender keeps the last good feed of at most this many users in memory',
    unit: 'users',
    min: 1,
    max: 10_000_000,
  }),
  lastGoodPins: wholeSetting(200, {
    description: 'The blender keeps at most this many pins of a last good feed',
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
    description: 'The state store keeps a last good feed for this long',
    unit: 'ms',
    min: 1_000,
    max: 30 * dayMs,
  }),
  popularRefreshMs: wholeSetting(5_000, {
    description: 'Time between two refreshes of the list of popular pins',
    unit: 'ms',
    min: 100,
    max: hourMs,
  }),
  maxPopularLocales: wholeSetting(16, {
    description:
      'The blender keeps popular pins of at most this many locales. Other locales get the globally popular pins',
    unit: 'locales',
    min: 0,
    max: 1_000,
  }),
  pointerRefreshMs: wholeSetting(1_000, {
    description: 'Time between two checks of which generation of user state serves',
    unit: 'ms',
    min: 0,
    max: 60_000,
  }),
  showUnlistedPins: z.boolean().default(false).meta({
    description:
      'Whether the feed shows pins that are not in the catalogue, for data without a catalogue. It no longer shows them once more than `maxPins` pins of a catalogue were read. Set `candidates.retrieval.showUnlistedPins` too',
  }),
  maxPins: wholeSetting(4_000_000, {
    description:
      'The filters know the deletion, creator, topics and locale of at most this many pins. The blender counts further pins and does not show them',
    unit: 'pins',
    min: 1,
    max: 100_000_000,
  }),
  maxLocales: wholeSetting(2_000, {
    description:
      'The filters know at most this many locales. The blender counts pins of further locales and does not show them to users who ask for a locale',
    unit: 'locales',
    min: 1,
    max: 60_000,
  }),
  maxCreators: wholeSetting(1_000_000, {
    description:
      'The blender keeps at most this many creators of `creators.v1`: names, and who is suspended or deleted. Names make room for these. If these alone are more, it shows no pin and says so',
    unit: 'creators',
    min: 1,
    max: 100_000_000,
  }),
  maxPinCardBytes: wholeSetting(512 << 20, {
    description:
      'Memory for what `GetPins` answers: titles, pictures, creators. The blender counts further pins, and `GetPins` reports them as missing. 0: `GetPins` knows no pin',
    unit: 'bytes',
    min: 0,
    max: 64 * 1024 ** 3,
  }),
  maxSafetyLabels: wholeSetting(31, {
    description:
      'The filters tell at most this many safety labels apart. The blender counts further labels and shows their pins to nobody',
    unit: 'labels',
    min: 1,
    max: 31,
  }),
  maxWordsPerPin: wholeSetting(64, {
    description:
      "A blocked word finds a pin by at most this many of the first different words of its title and description. Each word takes 4 to 6 bytes of the blender's memory; 0: blocked words find no pin",
    unit: 'words',
    min: 0,
    max: 255,
  }),
  maxBodyBytes: wholeSetting(1 << 20, {
    description: 'Maximum size of the body of an HTTP request',
    unit: 'bytes',
    min: 1_024,
    max: 16 << 20,
  }),
  maxBatchRecords: wholeSetting(2_000, {
    description: 'The blender reads at most this many records from the log at a time',
    unit: 'records',
    min: 1,
    max: 100_000,
  }),
  maxUnwrittenFeeds: wholeSetting(5_000, {
    description:
      'At most this many feeds wait to be written to `feeds-served.v1`. The blender drops and counts further feeds',
    unit: 'feeds',
    min: 1,
    max: 1_000_000,
  }),
  unwrittenLingerMs: wholeSetting(50, {
    description:
      'A feed waits this long for others, so that the blender writes them to `feeds-served.v1` together. On LMDB the reserve and the last good feed of a user wait as long for another write',
    unit: 'ms',
    min: 0,
    max: 10_000,
  }),
  recordFeatures: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether `feeds-served.v1` contains the features that the ranker used, as training data' }),
  answersExplainFeed: z.boolean().default(true).meta({
    description:
      'Whether the blender answers `ExplainFeed`, which shows features of a user to every trusted caller; in a process without keys that is everybody',
  }),
  recordTrace: z.boolean().default(true).meta({
    description:
      'Whether `feeds-served.v1` contains what became of every candidate, so that `ExplainFeed` says why a pin is not on a page. Each of at most 2,000 candidates adds about 9 bytes',
  }),
  maxUnshownCandidates: wholeSetting(24, {
    description:
      'A record of `feeds-served.v1` contains a sample of at most this many candidates that were not shown, with the reasons. Each adds about 40 bytes; 0: no sample',
    unit: 'candidates',
    min: 0,
    max: 500,
  }),
  explorationOptimism: numberSetting(0, {
    description:
      'The order prefers pins of which little is known: this many of the standard deviations that the ranker gives the utilities are added to them. Evaluations add nothing',
    unit: 'standard deviations',
    min: 0,
    max: 100,
  }),
  explorationChance: numberSetting(1, {
    description:
      'How much chance the order has: the standard deviation of what is drawn and added to a utility, in those of the ranker. 0: none. Evaluations draw nothing',
    unit: 'standard deviations',
    min: 0,
    max: 100,
  }),
  experimentsFile: optionalTextSetting(
    'JSON file with the experiments, the same on every instance: EXPERIMENTS.md describes it. Without one there are no experiments',
  ),
  experimentsReloadIntervalMs: wholeSetting(5_000, {
    description:
      'Time between two checks whether the experiment file has changed. 0: the blender reads it only at its start',
    unit: 'ms',
    min: 0,
    max: hourMs,
  }),
  utilityTuning: utilityTuningSchema.prefault({}),
  maxPinVectors: wholeSetting(2_000_000, {
    description:
      'The ordering knows the embeddings of at most this many pins, about 90 bytes each. It compares others by topics and creator',
    unit: 'pins',
    min: 0,
    max: 100_000_000,
  }),
  ordering: orderingSchema,
  seed: z.int().min(0).max(0xffffffff).default(1).meta({
    description:
      'Seed for the order of pins with equal utility and for exploration. Set the same value on every instance',
  }),
})

/** What `blenderSchema` parses to. */
export type BlenderConfig = z.output<typeof blenderSchema>

/** Settings of the rates of calls. */
export const callLimitSettings = limitSettings('calls', { key: [0, 1_000], user: [10, 200], address: [500, 10_000] })

/** Settings of the process. */
export const processSchema = z.object({
  ...serviceSettings(9468),
  kafka: kafkaSchema,
  redis: redisSchema,
  grpc: z.object(grpcSettings(7070)),
  http: z.object(httpSettings(8070)),
  cors: z.object({
    origins: z.array(webOriginSchema).default([]).meta({
      description: 'Web origins that may request feeds, such as `https://www.example.org`; `*`: all origins',
    }),
  }),
  candidateService: z.object(callSettings('127.0.0.1:7071')),
  ranker: z.object(callSettings('127.0.0.1:7072')),
  limits: z.object(callLimitSettings),
  blender: blenderSchema,
  pseudonyms: pseudonymsSchema,
})
