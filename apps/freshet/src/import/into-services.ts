import { isContractError } from '@freshet/contracts/errors'
import { askOperations, findServer, type Asking } from '../operations/ask-operations.ts'
import type { Fetching } from '../operations/fetching.ts'
import { openHttpIntake } from '../operations/intake.ts'
import type { Terminal } from '../operations/terminal.ts'
import type { Destination } from './destination.ts'
import { openFileLedger, type FileLedger } from './file-ledger.ts'
import { ImportError } from './problem.ts'
import { createServicesDestination, type FoldProgress } from './services-destination.ts'

/** The feature updater remembers event ids for a day. Within this safe time it drops repeats. */
const repeatsDroppedMs = 43_200_000

/** Posts events to event-ingest. With operations addresses, the feature updater reports what it applied. */
export async function openServicesDestination(
  target: string,
  given: {
    readonly operations?: string
    readonly ledger?: string
    readonly resend?: boolean
    /** Headers with a key; default: the key that commands of this process send. */
    readonly keys?: Readonly<Record<string, string>>
    /** Default: `fetch`, which trusts the authorities of the system. */
    readonly fetching?: Fetching
  },
  terminal: Terminal,
): Promise<Destination> {
  const intake = openHttpIntake(target, given.keys, given.fetching)
  const file = given.ledger ?? `.freshet/imports/${new URL(target).host.replace(':', '-')}.ledger`
  const ledger = openFileLedger(file)
  settleDoubt(ledger, intake.clock.now(), given.resend)
  terminal.write(`posting to ${target}; the file ${file} records the posted events\n`)
  const { operations = null } = given
  const asking: Asking = {
    signal: terminal.signal,
    ...(given.keys && { headers: given.keys }),
    ...(given.fetching && { fetching: given.fetching }),
  }
  const catalogue = operations === null ? null : await findServer(operations, '/v1/catalogue', asking)
  return createServicesDestination({
    ...{ target, intake, posted: ledger, signal: terminal.signal },
    progress: async () =>
      operations === null ? null : ((await askOperations(operations, '/v1/progress', asking)) as FoldProgress),
    hasEntry: catalogue === null ? null : (pinId) => hasEntry(catalogue, pinId, asking),
    next:
      operations === null
        ? 'give --operations URL of the feature updater (or of freshet dev) to see what it applied'
        : 'request a feed',
  })
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

async function hasEntry(operations: string, pinId: string, asking: Asking): Promise<boolean> {
  try {
    const pin = await askOperations(operations, `/v1/pins/${encodeURIComponent(pinId)}`, asking)
    return (pin as { readonly catalogue?: unknown }).catalogue !== null
  } catch (error) {
    if (isContractError(error, 'PIN_UNKNOWN')) return false
    throw error
  }
}
