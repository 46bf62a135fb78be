import { join } from 'node:path'
import { topics } from '@freshet/contracts/topics'
import { describeConfig } from '@freshet/service/setting-rows'
import type { z } from 'zod'

const root = join(import.meta.dirname, '../..')

/** What is kept for a time that a setting says: what, the service, its setting, where it is, and what the time counts from. */
const kept: readonly (readonly [what: string, app: string, setting: string, where: string, after: string])[] = [
  ['user state', 'feature-updater', 'fold.userTtlMs', 'Redis, or the data folder', 'after the last event of the user'],
  ['pin state', 'feature-updater', 'fold.pinTtlMs', 'Redis, or the data folder', 'after the last event of the pin'],
  [
    'hashes of event ids, to drop repeats',
    'feature-updater',
    'fold.dedupeTtlMs',
    'Redis, or the data folder',
    'after the last event of a generation',
  ],
  [
    'pins that a user was served',
    'blender',
    'blender.servedWindowMs',
    'Redis, or the data folder',
    'after the last feed',
  ],
  ['page sessions', 'blender', 'blender.pageSessionTtlMs', 'Redis, or the data folder', 'after the first page'],
  [
    'pins that a feed keeps in reserve',
    'blender',
    'blender.reserveTtlMs',
    'Redis, or the data folder',
    'after the last page',
  ],
  ['the last good feed of a user', 'blender', 'blender.lastGoodTtlMs', 'Redis, or the data folder', 'after the feed'],
  [
    'trails and sessions in snapshots',
    'candidate-service',
    'candidates.snapshotIntervalMs',
    'files of candidate-service',
    'at most, until the next snapshot',
  ],
  [
    'pins that are not in the catalogue',
    'candidate-service',
    'candidates.retrieval.unlistedTtlMs',
    'memory of candidate-service, snapshots',
    'after the last action',
  ],
  [
    'sessions and waiting feeds in checkpoints',
    'trainer',
    'trainer.checkpointIntervalMs',
    'files of the trainer',
    'at most, until the next checkpoint',
  ],
  [
    'training rows',
    'trainer',
    'trainer.joiner.maxRowAgeDays',
    'files of the trainer',
    'after the newest row of a file',
  ],
]

/** A time in the largest unit that it is a whole number of. */
export function timeText(ms: number): string {
  for (const [unit, size] of [
    ['days', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const)
    if (ms % size === 0 && (unit !== 'days' || ms / size > 1)) return `${ms / size} ${unit}`
  return `${ms} ms`
}

/** The settings of a service by path, with their defaults. */
export async function defaultsOf(app: string): Promise<ReadonlyMap<string, string>> {
  const path = join(root, 'apps', app, 'src/config.ts')
  const { processSchema } = (await import(/* @vite-ignore */ path)) as { readonly processSchema: z.ZodObject }
  return new Map(describeConfig(processSchema).map((row) => [row.path, row.default]))
}

/** Rows of the table of how long data is kept, with the defaults of the code. Throws for a setting that does not exist. */
export async function retentionRows(): Promise<readonly (readonly string[])[]> {
  const ofTopics = Object.entries(topics).map(([name, { cleanup, retentionMs, meaning }]) => [
    `\`${name}\`: ${meaning}`,
    'Kafka, or the data folder',
    retentionMs === null ? `the newest record of each key, permanently (${cleanup})` : timeText(retentionMs),
    retentionMs === null
      ? 'none'
      : `\`freshet topics apply --retention ${name}=TIME\`, \`topics.retention\` of the chart`,
  ])
  const ofSettings = await Promise.all(
    kept.map(async ([what, app, setting, where, after]) => {
      const value = (await defaultsOf(app)).get(setting)
      if (value === undefined) throw new Error(`${app} has no setting ${setting}`)
      const time = setting.endsWith('Days') ? `${value} days` : timeText(Number(value))
      return [what, where, `${time} ${after}`, `\`${setting}\``]
    }),
  )
  return [...ofTopics, ...ofSettings]
}
