import { kafkaSchema } from '@freshet/adapters/settings'
import { retrievalSchema, type RetrievalConfigInput } from '@freshet/retrieval/config'
import { grpcSettings, serviceSettings } from '@freshet/service/settings'
import { optionalTextSetting, seedSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

const settings = z.strictObject({
  seed: seedSetting('Seed for the order of ties and for the random draws of sources; the same on every instance'),
  refresh: z.enum(['event', 'mark']).default('event').meta({
    description: 'When the knowledge about all users changes: with every event, or only at marks of an evaluation',
  }),
  maxBatchRecords: wholeSetting(2_000, {
    description: 'The service reads at most this many records from the log at a time',
    unit: 'records',
    min: 1,
    max: 100_000,
  }),
  sliceRecords: wholeSetting(100, {
    description: 'The service folds this many records before waiting requests get their turn',
    unit: 'records',
    min: 1,
    max: 100_000,
  }),
  answerReserveMs: wholeSetting(20, {
    description: 'Time kept for the answer when a request waits for positions of the log',
    unit: 'ms',
    min: 0,
    max: 10_000,
  }),
  snapshotIntervalMs: wholeSetting(300_000, {
    description: 'Time between two snapshots of the views',
    unit: 'ms',
    min: 1_000,
    max: 86_400_000,
  }),
  retrieval: retrievalSchema.prefault({}),
  shardIndex: wholeSetting(0, {
    description:
      'The shard of the neighbour index that this instance holds; everything else is the same on every instance',
    unit: 'shard',
    min: 0,
    max: 63,
  }),
  shardCount: wholeSetting(1, {
    description: 'The number of shards over which the neighbour index is spread, by user',
    unit: 'shards',
    min: 1,
    max: 64,
  }),
  shardPeers: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'Addresses of the other shards, one for each, in the order of their index' }),
  shardTimeoutMs: wholeSetting(50, {
    description: 'Time for the other shards to answer. The answer does without shards that take longer',
    unit: 'ms',
    min: 1,
    max: 10_000,
  }),
})

/** Settings of the candidate service, checked against each other. */
export const candidateServiceSchema = settings.superRefine(({ shardIndex, shardCount, shardPeers }, context) => {
  if (shardIndex >= shardCount) {
    const message = `is not below candidates.shardCount, which is ${shardCount}`
    context.addIssue({ code: 'custom', path: ['shardIndex'], message })
  }
  if (shardPeers.length !== shardCount - 1) {
    const message = `has ${shardPeers.length} addresses; ${shardCount} shards need ${shardCount - 1}`
    context.addIssue({ code: 'custom', path: ['shardPeers'], message })
  }
})

/** Settings of the candidate service. Settings of the retrieval that are absent have their defaults. */
export interface CandidateServiceConfig extends Omit<z.output<typeof candidateServiceSchema>, 'retrieval'> {
  readonly retrieval: RetrievalConfigInput
}

/** Settings of the process. */
export const processSchema = z.object({
  ...serviceSettings(9466),
  kafka: kafkaSchema,
  grpc: z.object(grpcSettings(7071)),
  candidates: candidateServiceSchema,
  snapshotFolder: optionalTextSetting(
    'Folder for snapshots of the views; null: the service replays the log at every start',
  ),
})
