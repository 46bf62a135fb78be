import { kafkaSettings } from '@freshet/adapters/settings'
import { grpcSettings, serviceSettings } from '@freshet/service/settings'
import { z } from 'zod'

/** What an operator sets of the candidate service; sources and caps of the views are checked by the retrieval itself. */
export const candidateServiceSchema = z.strictObject({
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
})

export type CandidateServiceConfig = z.infer<typeof candidateServiceSchema>

/** What the process takes. */
export const processSchema = z.object({
  ...serviceSettings,
  kafka: z.object(kafkaSettings),
  grpc: z.object(grpcSettings(7071)),
  candidates: candidateServiceSchema,
  snapshotFolder: z
    .string()
    .nullable()
    .default(null)
    .meta({ description: 'Folder of the snapshots of the views; null: every start replays the log' }),
})
