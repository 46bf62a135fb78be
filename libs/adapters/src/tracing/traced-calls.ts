import { noHeaders } from '@freshet/contracts/headers'
import type {
  Attribution,
  Blender,
  CallOptions,
  CandidateService,
  Ranker,
  TrailShard,
} from '@freshet/contracts/ports/calls'
import { traceOf } from '@freshet/contracts/trace-context'
import { inSpan, type SpanAttributes, type SpanStart, type TraceHeaders, type Tracing } from '@freshet/domain/tracing'

/** Which end of a call: the one that asks or the one that answers. */
export type CallEnd = 'client' | 'server'

type Call<Request, Options, Response> = (request: Request, options: Options) => Promise<Response>

/** A call in a span. What it calls in turn gets the span as its parent. */
function traced<Request, Options extends CallOptions, Response>(
  tracing: Tracing,
  start: Omit<SpanStart, 'parent'>,
  call: Call<Request, Options, Response>,
  describe: (response: Response) => SpanAttributes = () => ({}),
): Call<Request, Options, Response> {
  return (request, options) => {
    const trace = traceOf(options.headers ?? noHeaders)
    const parent = parentOf(tracing, start, trace)
    return inSpan(tracing, { ...start, parent }, async (headers, span) => {
      const response = await call(request, span === null && parent === trace ? options : { ...options, headers })
      span?.set(describe(response))
      return response
    })
  }
}

function parentOf(tracing: Tracing, { kind, entry }: Omit<SpanStart, 'parent'>, trace: TraceHeaders): TraceHeaders {
  if (entry === true) return tracing.entering(trace)
  return kind === 'client' ? withinActive(tracing, trace) : trace
}

/** The active span of the same trace, because it is nearer to the call than what the request carries. */
function withinActive(tracing: Tracing, trace: TraceHeaders): TraceHeaders {
  const active = tracing.active()
  if (active === null || !active.sampled || trace['traceparent']?.slice(3, 35) !== active.traceId) return trace
  return { ...trace, traceparent: `00-${active.traceId}-${active.spanId}-01` }
}

/** A server shows the trace of its caller in log lines even if it records none. */
function needed(tracing: Tracing, kind: CallEnd): boolean {
  return tracing.records || kind === 'server'
}

/** A candidate service whose calls are spans. */
export function tracedCandidateService<Service extends CandidateService>(
  service: Service,
  tracing: Tracing,
  kind: CallEnd,
): Service {
  if (!needed(tracing, kind)) return service
  const retrieve = service.retrieve.bind(service)
  return { ...service, retrieve: traced(tracing, { name: 'Retrieve', kind }, retrieve) }
}

/** A trail shard whose calls are spans. */
export function tracedTrailShard<Shard extends TrailShard>(shard: Shard, tracing: Tracing, kind: CallEnd): Shard {
  if (!needed(tracing, kind)) return shard
  const gatherTrails = shard.gatherTrails.bind(shard)
  return { ...shard, gatherTrails: traced(tracing, { name: 'GatherTrails', kind }, gatherTrails) }
}

/** A ranker whose calls are spans. */
export function tracedRanker<Service extends Ranker & Partial<Attribution>>(
  ranker: Service,
  tracing: Tracing,
  kind: CallEnd,
): Service {
  if (!needed(tracing, kind)) return ranker
  const attribute = ranker.attribute?.bind(ranker)
  return {
    ...ranker,
    rank: traced(tracing, { name: 'Rank', kind }, ranker.rank.bind(ranker)),
    ...(attribute && { attribute: traced(tracing, { name: 'Attribute', kind }, attribute) }),
  }
}

/** A blender whose calls are spans. Requests enter Freshet here. */
export function tracedBlender<Service extends Blender>(blender: Service, tracing: Tracing): Service {
  const entry = (name: string) => ({ name, kind: 'server', entry: true }) as const
  const ofFeed = (response: { readonly items: readonly unknown[]; readonly degradation: number }): SpanAttributes => ({
    'freshet.items': response.items.length,
    'freshet.degradation': response.degradation,
  })
  return {
    ...blender,
    getFeed: traced(tracing, entry('GetFeed'), blender.getFeed.bind(blender), ofFeed),
    getRelatedPins: traced(tracing, entry('GetRelatedPins'), blender.getRelatedPins.bind(blender), ofFeed),
    rankPins: traced(tracing, entry('RankPins'), blender.rankPins.bind(blender)),
    getPins: traced(tracing, entry('GetPins'), blender.getPins.bind(blender)),
    searchByImage: traced(tracing, entry('SearchByImage'), blender.searchByImage.bind(blender)),
    explainFeed: traced(tracing, entry('ExplainFeed'), blender.explainFeed.bind(blender)),
  }
}
