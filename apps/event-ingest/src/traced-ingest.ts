import { noHeaders } from '@freshet/contracts/headers'
import type { SpanAttributes, Tracing } from '@freshet/domain/tracing'
import type { IngestCall } from './append.ts'
import type { Answer, Ingest } from './ingest.ts'
import type { PlainAnswer } from './plain-batch.ts'

/** A call without deadline and source. */
const noCall: IngestCall = { trace: noHeaders, deadlineMs: null }

/** Ingest whose requests are spans. Requests enter Freshet here, by any protocol. The records of a request carry its span. */
export function tracedIngest(ingest: Ingest, tracing: Tracing): Ingest {
  /** Takes a request in a span. null, for a request that must be read in another way, leaves no span. */
  async function taken<Taken extends Answer | PlainAnswer | null>(
    name: string,
    call: IngestCall | undefined,
    take: (call: IngestCall | undefined) => Promise<Taken>,
  ): Promise<Taken> {
    const given = call?.trace ?? noHeaders
    const parent = tracing.entering(given)
    const span = tracing.start({ name, kind: 'server', parent, entry: true })
    if (span === null)
      return tracing.run(parent, () => take(parent === given ? call : { ...(call ?? noCall), trace: parent }))
    try {
      const answer = await tracing.run(span.headers, () => take({ ...(call ?? noCall), trace: span.headers }))
      if (answer === null) return answer
      span.set(sizesOf(answer))
      span.end(answer.kind === 'refused' ? answer.problem.code : null)
      return answer
    } catch (error) {
      span.end(error)
      throw error
    }
  }
  const ofBatch =
    <Batch extends { readonly call?: IngestCall }, Taken extends Answer | PlainAnswer | null>(
      name: string,
      take: (batch: Batch) => Promise<Taken>,
    ) =>
    (batch: Batch): Promise<Taken> =>
      taken(name, batch.call, (call) => take(call === batch.call ? batch : { ...batch, call }))

  return {
    ...ingest,
    takeEngagements: ofBatch('ingest engagements', ingest.takeEngagements),
    takePlain: ofBatch('ingest engagements', ingest.takePlain),
    takeMapped: ofBatch('ingest mapped events', ingest.takeMapped),
    takePins: ofBatch('ingest pins', ingest.takePins),
    takeCreators: ofBatch('ingest creators', ingest.takeCreators),
    takeBoards: ofBatch('ingest boards', ingest.takeBoards),
    mergeUsers: (merge, call) => taken('ingest merge', call, (traced) => ingest.mergeUsers(merge, traced)),
    eraseUser: (userId, call) => taken('ingest erasure', call, (traced) => ingest.eraseUser(userId, traced)),
  }
}

function sizesOf(answer: Answer | PlainAnswer): SpanAttributes {
  if (answer.kind === 'refused') return {}
  return 'positions' in answer
    ? { 'freshet.events': answer.positions.length, 'freshet.accepted': answer.positions.length }
    : { 'freshet.events': answer.receipts.length, 'freshet.accepted': answer.accepted }
}
