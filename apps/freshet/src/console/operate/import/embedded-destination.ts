import type { LmdbEnvironment } from '@freshet/adapters/lmdb/environment'
import { progressInspection } from '@freshet/contracts/inspection/routes'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import type { Clock } from '@freshet/domain/clock'
import type { Ingest } from '@freshet/event-ingest/ingest'
import type { Destination } from '../../../import/destination.ts'
import { openLedger } from '../../../import/ledger.ts'
import { createServicesDestination, type FoldProgress } from '../../../import/services-destination.ts'
import type { Intake } from '../../../operations/intake.ts'

/** The parts of a process that runs everything. */
export interface EmbeddedImport {
  readonly ingest: Pick<Ingest, 'takeEngagements' | 'takePins'>
  readonly environment: LmdbEnvironment
  readonly log: EventLog
  readonly store: StateStore
  readonly clock: Clock
  /** Whether the catalogue has a pin. */
  readonly isKnown: (pinId: string) => boolean
}

/**
 * Imports into the process that holds the data folder, through its own ingest. It takes engagements of any age. The ledger of the
 * folder says which events the log has, as for the command: it is read from the log when an import begins, so imports need not write it.
 */
export async function openEmbeddedDestination(
  { ingest, environment, log, store, clock, isKnown }: EmbeddedImport,
  { onError, signal }: { readonly onError: (error: Error) => void; readonly signal: AbortSignal },
): Promise<Destination> {
  const ledger = await openLedger(environment, log, { onError, signal })
  const { answer } = progressInspection({ log, store })
  return createServicesDestination({
    target: 'this process',
    intake: openIngestIntake(ingest, clock),
    posted: { has: (id) => ledger.has(id), begin: () => undefined, settle: () => undefined },
    progress: async () => (await answer('', {}, signal)) as FoldProgress,
    hasEntry: (pinId) => Promise.resolve(isKnown(pinId)),
    next: 'request a feed',
    signal,
  })
}

/** Posts to an ingest of this process. */
function openIngestIntake(ingest: EmbeddedImport['ingest'], clock: Clock): Intake {
  return {
    clock,
    async post(kind, events) {
      const batch = { events, single: false, bytes: 0 }
      const answer =
        kind === 'pins'
          ? await ingest.takePins({ ...batch, read: parsePinJson })
          : await ingest.takeEngagements({
              ...batch,
              read: parseEngagementJson,
              clock: { sentAtMs: null, offsetMs: 0 },
              ofAnyAge: true,
            })
      if (answer.kind === 'taken') return answer.receipts
      return { why: `${answer.problem.code}: ${answer.problem.message}`, waitMs: 1_000 }
    },
    close: () => Promise.resolve(),
  }
}
