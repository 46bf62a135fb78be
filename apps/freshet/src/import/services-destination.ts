import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { engagementToJson } from '@freshet/contracts/json/engagement'
import { parseToken } from '@freshet/contracts/tokens'
import { OperationError } from '../operations/errors.ts'
import { postUntilAccepted, type Intake, type Receipt } from '../operations/intake.ts'
import type { Destination, Refusal } from './destination.ts'
import type { EventHash } from './event-bytes.ts'
import { appliedBetween, type Applied } from './tally.ts'

/** Events in one request: the default limit of event-ingest. */
const batchEvents = 1_000
/** Number of catalogue entries that are requested at the same time. */
const askedTogether = 8
const pollMs = 200
/** How long to wait while the updater applies nothing although records are waiting. */
const patienceMs = 120_000

/** The parts of the answer of `/v1/progress` that the import uses. */
export interface FoldProgress {
  readonly lag: number
  readonly counts: Applied
  readonly partitions: readonly { readonly partition: number; readonly folded: number }[]
}

/** Records which events were posted. */
export interface PostedEvents {
  has(id: EventHash): boolean
  /** Called with the events that are about to be posted. */
  begin(ids: readonly EventHash[], nowMs: number): void
  /** Called with those of them that were accepted. */
  settle(accepted: readonly EventHash[]): void
}

/** Running services as an import uses them. */
export interface RunningServices {
  /** Their name in messages. */
  readonly target: string
  readonly intake: Intake
  readonly posted: PostedEvents
  /** What the feature updater has folded; null: nobody says. */
  readonly progress: () => Promise<FoldProgress | null>
  /** Whether the catalogue has a pin; null: nobody knows. */
  readonly hasEntry: ((pinId: string) => Promise<boolean>) | null
  readonly next: string
  readonly signal: AbortSignal
}

/** Posts events to running services, and waits until they are applied. */
export async function createServicesDestination(services: RunningServices): Promise<Destination> {
  const { target, intake, posted: ledger, progress, hasEntry, signal } = services
  const before = await progress()
  /** One past the last position of this import's events, by partition. */
  const goals = new Map<number, number>()
  let posted = 0

  const post = async (kind: 'pins' | 'engagements', values: readonly unknown[]): Promise<(Refusal | null)[]> => {
    const events = values.map((value) => ({ value, place: kind }))
    const receipts = await postUntilAccepted(intake, kind, events, signal)
    return values.map((_, at) => toRefusal(receipts[at]))

    function toRefusal(receipt: Receipt | undefined): Refusal | null {
      const token = receipt?.token === undefined ? null : parseToken(receipt.token)
      if (token !== null) {
        if (token.topic === 'engagements.v1')
          goals.set(token.partition, Math.max(goals.get(token.partition) ?? 0, token.position + 1))
        return null
      }
      return { code: receipt?.code ?? 'NO_RECEIPT', field: receipt?.field ?? '', message: receipt?.message ?? '' }
    }
  }

  return {
    batchEvents,
    has: (id) => ledger.has(id),
    takePins: async (pins) => (await post('pins', pins)).map((refusal) => refusal ?? 'accepted'),
    async missingPins(pinIds) {
      if (hasEntry === null) return null
      const missing: string[] = []
      const ids = [...pinIds]
      for (let at = 0; at < ids.length; at += askedTogether) {
        const page = ids.slice(at, at + askedTogether)
        const found = await Promise.all(page.map((pinId) => hasEntry(pinId)))
        missing.push(...page.filter((_, row) => found[row] === false))
      }
      return missing
    },
    async takeEngagements(events) {
      ledger.begin(
        events.map(({ id }) => id),
        intake.clock.now(),
      )
      const refusals = await post(
        'engagements',
        events.map(({ value }) => engagementToJson(decodeEngagement(value))),
      )
      ledger.settle(events.filter((_, at) => refusals[at] === null).map(({ id }) => id))
      if (posted === 0 && refusals.every((refusal) => refusal?.code === 'EVENT_TIME_PAST')) {
        throw new OperationError(
          'EVENTS_REJECTED',
          `${target} refused all events because of their age (${refusals[0]?.message ?? ''}); start event-ingest with FRESHET_INGEST_MAX_EVENT_AGE_DAYS=0 during the import`,
        )
      }
      posted += events.length
      return refusals
    },
    async applied() {
      if (before === null) return null
      let now = await progress()
      let advancedMs = intake.clock.now()
      while (now !== null && !isFolded(now, goals)) {
        await intake.clock.sleep(pollMs, signal)
        const next = await progress()
        if (next?.lag !== now.lag) advancedMs = intake.clock.now()
        if (intake.clock.now() - advancedMs > patienceMs) {
          throw new OperationError(
            'EVENTS_NOT_APPLIED',
            `the log has all events, but the feature updater applied nothing for ${patienceMs / 1000} s and ${now.lag} records are waiting; its /readyz shows the reason`,
          )
        }
        now = next
      }
      return now === null ? null : appliedBetween(before.counts, now.counts)
    },
    next: services.next,
    close: () => intake.close(),
  }
}

function isFolded({ partitions }: FoldProgress, goals: ReadonlyMap<number, number>): boolean {
  return partitions.every(({ partition, folded }) => folded >= (goals.get(partition) ?? 0))
}
