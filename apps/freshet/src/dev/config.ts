import { blenderSchema, callLimitSettings } from '@freshet/blender/config'
import { pseudonymsSchema } from '@freshet/adapters/system/pseudonyms'
import { candidateServiceSchema } from '@freshet/candidate-service/config'
import { adminSettings, corsSettings, eventLimitSettings, ingestSettings } from '@freshet/event-ingest/config'
import { foldSettings, updaterSettings } from '@freshet/feature-updater/config'
import { rankerSchema } from '@freshet/ranker/config'
import { grpcSettings, httpSettings, serviceSettings } from '@freshet/service/settings'
import { trainerSchema } from '@freshet/trainer/config'
import { joinerSchema } from '@freshet/trainer/joiner/config'
import { rankingSchema } from '@freshet/trainer/ranking/config'
import type { wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { devConsoleSettings } from '../console/settings.ts'

/** Where `npm run sdk:example` serves its page. */
export const exampleOrigin = 'http://localhost:8095'

/** Settings of the trainer in `freshet dev`. */
export const devTrainerSchema = trainerSchema.extend({
  // Someone who tries it wants to see a model learn within minutes; later actions still correct the rows.
  joiner: joinerSchema
    .extend({
      windowMs: z.int().min(1_000).max(86_400_000).default(120_000).meta({
        description: 'What a user does within this time after a feed was requested labels the rows of the feed',
        unit: 'ms',
      }),
      // About 2 kB of memory each.
      maxFeeds: devDefault(joinerSchema.shape.maxFeeds, 30_000),
      // Its records are read and written whole, so it takes four times its size for a moment.
      maxMemoryBytes: devDefault(joinerSchema.shape.maxMemoryBytes, 8 << 20),
    })
    .prefault({}),
  // About 1 kB of memory each.
  ranking: rankingSchema.extend({ maxRows: devDefault(rankingSchema.shape.maxRows, 30_000) }).prefault({}),
})

/** A setting with another default, for one process that does everything. Bounds and description stay. */
function devDefault(setting: ReturnType<typeof wholeSetting>, value: number): ReturnType<typeof wholeSetting> {
  return setting
    .unwrap()
    .default(value)
    .meta(setting.meta() ?? {})
}

/** Settings of `freshet dev`: the settings of all services and the data folder. */
export const devSchema = z.object({
  ...serviceSettings(9464),
  data: z.object({
    folder: z.string().min(1).default('.freshet/data').meta({
      description: 'Folder for the log, the state and the snapshots. The command creates it if it is missing',
    }),
    fsync: z.boolean().default(true).meta({
      description: 'Whether an answer waits until the data is on disk; false: a power failure may lose the last events',
    }),
    partitions: z.int().min(1).max(1024).default(8).meta({
      description: 'Number of partitions of every topic; fixed when the command creates the folder',
      unit: 'partitions',
    }),
  }),
  sample: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether the command fills an empty folder with a sample catalogue and simulated users' }),
  samplePins: z.int().min(100).max(10_000).default(10_000).meta({
    description: 'About how many of the 7,000 pictures the sample catalogue has; fewer start sooner',
    unit: 'pins',
  }),
  ingestHttp: z.object(httpSettings(8080)),
  admin: z.object(adminSettings),
  feedHttp: z.object(httpSettings(8070)),
  grpc: z.object(grpcSettings(7070)),
  console: z.object(devConsoleSettings),
  cors: z.object({
    origins: corsSettings.origins.default([exampleOrigin]).meta({
      description: `Web origins that may post events and request feeds, such as \`https://www.example.org\`; \`*\`: all origins. By default the page that \`npm run sdk:example\` serves`,
    }),
  }),
  ingest: z.object(ingestSettings),
  eventLimits: z.object(eventLimitSettings),
  feedLimits: z.object(callLimitSettings),
  pseudonyms: pseudonymsSchema,
  fold: z.object(foldSettings),
  updater: z.object({ ...updaterSettings, cacheBytes: devDefault(updaterSettings.cacheBytes, 32 << 20) }),
  candidates: candidateServiceSchema,
  ranking: rankerSchema,
  blender: blenderSchema.extend({
    // About 10 kB of memory each; the state store has the last good feeds of all users.
    maxRememberedUsers: devDefault(blenderSchema.shape.maxRememberedUsers, 2_000),
  }),
  trainer: devTrainerSchema,
})

export type DevConfig = z.output<typeof devSchema>
