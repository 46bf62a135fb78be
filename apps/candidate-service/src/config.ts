import { kafkaSchema } from '@freshet/adapters/settings'
import { grpcSettings, serviceSettings } from '@freshet/service/settings'
import { z } from 'zod'

const settings = z.strictObject({
  seed: z.int().min(0).default(1).describe('Orders ties and seeds what sources draw; the same on every instance.'),
  refresh: z
    .enum(['event', 'mark'])
    .default('event')
    .describe('When collective knowledge changes: with every event, or at marks of an evaluation only.'),
  maxBatchRecords: z.int().min(1).max(100_000).default(2_000).describe('Records read from the log at a time.'),
  sliceRecords: z
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('Records folded before waiting requests get their turn.'),
  answerReserveMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(20)
    .describe('Milliseconds of a request kept for the answer when it waits for positions.'),
  snapshotIntervalMs: z
    .int()
    .min(1_000)
    .max(86_400_000)
    .default(300_000)
    .describe('Milliseconds between two snapshots of the views.'),
  retrieval: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Caps of the views and settings of the sources, e.g. {"sources":{"popularity":{"enabled":false}}}.'),
  shardIndex: z
    .int()
    .min(0)
    .max(63)
    .default(0)
    .describe(
      'Which shard of the neighbour index this instance holds, from 0; all else is the same on every instance.',
    ),
  shardCount: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Over how many shards the neighbour index is spread, by users.'),
  shardPeers: z
    .array(z.string().min(1))
    .default([])
    .describe('Addresses of the other shards, in the order of their index; one for each.'),
  shardTimeoutMs: z
    .int()
    .min(1)
    .max(10_000)
    .default(50)
    .describe(
      'Milliseconds the other shards have for their parts of an answer; it goes without those that take longer.',
    ),
})

/** What an operator sets of the candidate service; sources and caps of the views are checked by the retrieval itself. */
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

export type CandidateServiceConfig = z.infer<typeof candidateServiceSchema>

/** What the process takes. */
export const processSchema = z.object({
  ...serviceSettings(9466),
  kafka: kafkaSchema,
  grpc: z.object(grpcSettings(7071)),
  candidates: candidateServiceSchema,
  snapshotFolder: z
    .string()
    .nullable()
    .default(null)
    .meta({ description: 'Folder of the snapshots of the views; null: every start replays the log' }),
})
