import { servedEntryBytes } from '@freshet/contracts/codecs/served'
import { ContractError } from '@freshet/contracts/errors'
import { servedScope } from '@freshet/contracts/scopes'
import type { Slate } from '@freshet/pipeline/stage'
import { notSwept, type CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { decodeServed, encodeServed, type ServedSet } from '../served-set.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import { chooseRows, takenIn, type Choice } from './choose-rows.ts'

/** What a claim needs. */
export type ClaimPorts = Pick<StagePorts, 'store' | 'users' | 'memory' | 'config'>

/** Each failed attempt means that another request of the same user got its page, so this bounds simultaneous requests of one user. */
const maxAttempts = 32

/**
 * Chooses a page and appends its pins, and the position of the sweep, to the user's served set, if that is still the set that the
 * choice is based on. If another request has appended meanwhile, chooses again, without the pins that it took. `refusedNow`
 * gives for each attempt what may not be shown by what is known then.
 * Throws FEED_CONTENDED after too many attempts, and the errors of the state store.
 */
export async function claimPage(
  request: FeedRequest & UserContext,
  { columns, rows }: Slate<CandidateColumns>,
  {
    ports: { store, users, memory, config },
    refusedNow,
    signal,
  }: { readonly ports: ClaimPorts; readonly refusedNow: () => (row: number) => boolean; readonly signal: AbortSignal },
): Promise<Choice> {
  const { userId, atMs, pageSize, served: known } = request
  const window = { atMs, windowMs: config.servedWindowMs }
  const bound = { maxBytes: config.maxServedPins * servedEntryBytes, ttlMs: config.servedWindowMs }
  const sweptTo = newPosition(columns, known)
  let stored: ServedSet | null = null
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const taken = takenIn([stored, memory.served(userId, window)], known, columns)
    const chosen = chooseRows(rows, { pageSize, taken, refused: refusedNow() })
    if (chosen.rows.length === 0 && sweptTo === null) return chosen
    const entries = encodeServed(columns.keys, chosen.rows, atMs, sweptTo)
    const read = (stored ?? known).stored
    const partition = users.partitionOf(userId)
    const outcome = await store.appendIf(servedScope, partition, userId, entries, { ...bound, read }, { signal })
    if (outcome.kind === 'APPENDED') {
      // Meanwhile another request may have taken these pins without a claim, because the store did not answer it.
      const lost = takenIn([memory.served(userId, window)], known, columns)
      if (chosen.rows.some(lost)) continue
      if (chosen.rows.length > 0) memory.serve(userId, columns.keys, chosen.rows, atMs)
      return chosen
    }
    stored = decodeServed(outcome.value, window)
  }
  throw new ContractError('FEED_CONTENDED', `${maxAttempts} other requests of the user were served meanwhile`)
}

/** The position of the sweep to record; null: it has not moved. */
function newPosition({ sweep }: CandidateColumns, { sweptTo }: ServedSet): number | null {
  return sweep === notSwept || sweep.sweptTo === sweptTo ? null : sweep.sweptTo
}
