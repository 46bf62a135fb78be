import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { isContractError } from '@freshet/contracts/errors'
import { engagementToJson } from '@freshet/contracts/json/engagement'
import { parseToken } from '@freshet/contracts/tokens'
import { askOperations, whoAnswers } from '../operations/ask-operations.ts'
import { OperationError } from '../operations/errors.ts'
import { insist, openHttpIntake, type Receipt } from '../operations/intake.ts'
import type { Terminal } from '../operations/terminal.ts'
import type { Destination, Refusal } from './destination.ts'
import { openFileLedger, type FileLedger } from './file-ledger.ts'
import { ImportError } from './problem.ts'
import { appliedBetween, type Applied } from './tally.ts'

/** Events of one request: the default limit of event-ingest. */
const batchEvents = 1_000
/** Catalogue entries asked for at the same time. */
const askedTogether = 8
/** The feature updater knows ids again for a day: within this, posting twice counts once. */
const repeatsDroppedMs = 43_200_000
const pollMs = 200
/** How long the updater may apply nothing while records wait. */
const patienceMs = 120_000

/** What `/v1/progress` answers, as far as it is used. */
interface Progress {
  readonly lag: number
  readonly counts: Applied
  readonly partitions: readonly { readonly partition: number; readonly folded: number }[]
}

/** Running services: events are posted to event-ingest; with operations addresses the feature updater says what it applied. */
export async function openServicesDestination(
  target: string,
  given: { readonly operations?: string; readonly ledger?: string; readonly resend?: boolean },
  terminal: Terminal,
): Promise<Destination> {
  const intake = openHttpIntake(target)
  const file = given.ledger ?? `.freshet/imports/${new URL(target).host.replace(':', '-')}.ledger`
  const ledger = openFileLedger(file)
  settleDoubt(ledger, intake.clock.now(), given.resend)
  terminal.write(`to ${target}; what was posted is remembered in ${file}\n`)
  const { operations = null } = given
  const progress = async (): Promise<Progress | null> =>
    operations === null ? null : ((await askOperations(operations, '/v1/progress', terminal.signal)) as Progress)
  const before = await progress()
  const catalogue = operations === null ? null : await whoAnswers(operations, '/v1/catalogue', terminal.signal)
  /** One past the last position that was given to this import, by partition. */
  const goals = new Map<number, number>()
  let posted = 0

  const post = async (kind: 'pins' | 'engagements', values: readonly unknown[]): Promise<(Refusal | null)[]> => {
    const events = values.map((value) => ({ value, place: kind }))
    const receipts = await insist(intake, kind, events, terminal.signal)
    return values.map((_, at) => refusalOf(receipts[at]))

    function refusalOf(receipt: Receipt | undefined): Refusal | null {
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
    takePins: async (pins) => (await post('pins', pins)).map((refusal) => refusal ?? 'taken'),
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
          `${target} refuses events this old (${refusals[0]?.message ?? ''}); start event-ingest with FRESHET_INGEST_MAX_EVENT_AGE_DAYS=0 while you import; nothing was taken`,
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
            `the log has all events, and the feature updater applied nothing for ${patienceMs / 1000} s: ${now.lag} records wait; look at its /readyz`,
          )
        }
        now = next
      }
      return now === null ? null : appliedBetween(before.counts, now.counts)
    },
    next:
      operations === null
        ? 'give --operations URL of the feature updater (or of the one process) to be told what was applied'
        : 'ask for a feed',
    close: () => intake.close(),
  }
}

/** What a killed import may have posted: within a day it is posted again, and the updater drops repeats; later somebody has to say. */
function settleDoubt(ledger: FileLedger, nowMs: number, resend: boolean | undefined): void {
  const { doubtful } = ledger
  if (doubtful === null || resend === true || nowMs - doubtful.atMs <= repeatsDroppedMs) return
  if (resend === false) {
    ledger.settle(doubtful.ids)
    return
  }
  throw new ImportError(
    '',
    `${doubtful.ids.length} events may or may not have been posted by an import that was killed at ${new Date(doubtful.atMs).toISOString()}, and the services drop repeats for a day only; say --resend to post them again, or --no-resend to leave them out`,
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
