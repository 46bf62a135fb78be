import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { isContractError } from '@freshet/contracts/errors'
import { engagementToJson } from '@freshet/contracts/json/engagement'
import { parseToken } from '@freshet/contracts/tokens'
import { askOperations, findServer } from '../operations/ask-operations.ts'
import { OperationError } from '../operations/errors.ts'
import { postUntilAccepted, openHttpIntake, type Receipt } from '../operations/intake.ts'
import type { Terminal } from '../operations/terminal.ts'
import type { Destination, Refusal } from './destination.ts'
import { openFileLedger, type FileLedger } from './file-ledger.ts'
import { ImportError } from './problem.ts'
import { appliedBetween, type Applied } from './tally.ts'

/** Events in one request: the default limit of event-ingest. */
const batchEvents = 1_000
/** Number of catalogue entries that are requested at the same time. */
const askedTogether = 8
/** The feature updater remembers event ids for a day. Within this safe time it drops repeats. */
const repeatsDroppedMs = 43_200_000
const pollMs = 200
/** How long to wait while the updater applies nothing although records are waiting. */
const patienceMs = 120_000

/** The parts of the answer of `/v1/progress` that the import uses. */
interface Progress {
  readonly lag: number
  readonly counts: Applied
  readonly partitions: readonly { readonly partition: number; readonly folded: number }[]
}

/** Posts events to event-ingest. With operations addresses, the feature updater reports what it applied. */
export async function openServicesDestination(
  target: string,
  given: { readonly operations?: string; readonly ledger?: string; readonly resend?: boolean },
  terminal: Terminal,
): Promise<Destination> {
  const intake = openHttpIntake(target)
  const file = given.ledger ?? `.freshet/imports/${new URL(target).host.replace(':', '-')}.ledger`
  const ledger = openFileLedger(file)
  settleDoubt(ledger, intake.clock.now(), given.resend)
  terminal.write(`posting to ${target}; the file ${file} records the posted events\n`)
  const { operations = null } = given
  const progress = async (): Promise<Progress | null> =>
    operations === null ? null : ((await askOperations(operations, '/v1/progress', terminal.signal)) as Progress)
  const before = await progress()
  const catalogue = operations === null ? null : await findServer(operations, '/v1/catalogue', terminal.signal)
  /** One past the last position of this import's events, by partition. */
  const goals = new Map<number, number>()
  let posted = 0

  const post = async (kind: 'pins' | 'engagements', values: readonly unknown[]): Promise<(Refusal | null)[]> => {
    const events = values.map((value) => ({ value, place: kind }))
    const receipts = await postUntilAccepted(intake, kind, events, terminal.signal)
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
      if (catalogue === null) return null
      const missing: string[] = []
      const ids = [...pinIds]
      for (let at = 0; at < ids.length; at += askedTogether) {
        const page = ids.slice(at, at + askedTogether)
        const found = await Promise.all(page.map((pinId) => hasEntry(catalogue, pinId, terminal.signal)))
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
        await intake.clock.sleep(pollMs, terminal.signal)
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
    next:
      operations === null
        ? 'give --operations URL of the feature updater (or of freshet dev) to see what it applied'
        : 'request a feed',
    close: () => intake.close(),
  }
}

/** Decides about events that a killed import may have posted. Within 12 hours the import posts them again, because the updater drops repeats; later the user must decide. */
function settleDoubt(ledger: FileLedger, nowMs: number, resend: boolean | undefined): void {
  const { doubtful } = ledger
  if (doubtful === null || resend === true || nowMs - doubtful.atMs <= repeatsDroppedMs) return
  if (resend === false) {
    ledger.settle(doubtful.ids)
    return
  }
  throw new ImportError(
    '',
    `${doubtful.ids.length} events may have been posted by an import that was killed at ${new Date(doubtful.atMs).toISOString()}, and the services drop repeats only for a day; give --resend to post them again, or --no-resend to skip them`,
  )
}

async function hasEntry(operations: string, pinId: string, signal: AbortSignal): Promise<boolean> {
  try {
    const pin = await askOperations(operations, `/v1/pins/${encodeURIComponent(pinId)}`, signal)
    return (pin as { readonly catalogue?: unknown }).catalogue !== null
  } catch (error) {
    if (isContractError(error, 'PIN_UNKNOWN')) return false
    throw error
  }
}

function isFolded({ partitions }: Progress, goals: ReadonlyMap<number, number>): boolean {
  return partitions.every(({ partition, folded }) => folded >= (goals.get(partition) ?? 0))
}
