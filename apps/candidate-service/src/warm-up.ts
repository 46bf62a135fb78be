import { bytesOf } from '@freshet/contracts/bytes/columns'
import { Action, Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { Clock } from '@freshet/domain/clock'
import type { Retrieval } from '@freshet/retrieval/retrieval'
import { parseQuery, toResponse } from './retrieve.ts'

const candidates = 500
const recentPins = 20

/** Retrieves for a user who has clicked some popular pins, so that the first requests do not pay for what only the first ones cost. */
export function warmUp(retrieval: Retrieval, clock: Clock): void {
  const popular = retrieve(retrieval, { atMs: clock.now() })
  const pinIds = popular.pinIds.slice(0, recentPins)
  if (pinIds.length === 0) return
  const times = Float64Array.from(pinIds, (_, at) => clock.now() - (at + 1) * 60_000)
  retrieve(retrieval, {
    atMs: clock.now(),
    userId: 'warm-up',
    recent: {
      pinIds,
      actions: new Uint8Array(pinIds.length).fill(Action.CLICK),
      occurredAtMs: bytesOf(times),
      sessionIds: pinIds.map(() => ''),
      boardIds: pinIds.map(() => ''),
      dwellMs: bytesOf(new Uint32Array(pinIds.length)),
    },
  })
}

function retrieve(retrieval: Retrieval, given: Partial<RetrieveRequest>) {
  const request = RetrieveRequest.fromPartial({
    surface: Surface.HOME,
    limit: candidates,
    fillTo: candidates,
    ...given,
  })
  const query = parseQuery(request, retrieval.sourceNames)
  const found = retrieval.retrieve({ ...query, deadlineMs: Infinity }, null)
  const embeddings = retrieval.embeddingModels(query)
  return toResponse(found, { fresh: true, catchingUp: false, embeddings, boards: null })
}
