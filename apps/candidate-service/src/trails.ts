import { bytesOf, float64Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import {
  GatherTrailsRequest,
  GatherTrailsResponse,
  IndexList,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CallOptions, TrailShard } from '@freshet/contracts/ports/calls'
import { asId, idProblem, type PinId } from '@freshet/domain/ids'
import type { IndexShard, ListPart, ListWanted } from '@freshet/retrieval/neighbours/list-part'
import type { Asker, ListName } from '@freshet/retrieval/neighbours/neighbour-index'
import type { Shard } from '@freshet/retrieval/neighbours/shard'
import type { Retrieval } from '@freshet/retrieval/retrieval'

/** The most trails of one pin that a shard is asked for. */
const maxTrailsPerPin = 10_000

const listOf = {
  [IndexList.UNSPECIFIED]: 'trails',
  [IndexList.TRAILS]: 'trails',
  [IndexList.SESSIONS]: 'sessions',
} as const satisfies Partial<Record<IndexList, ListName>>
const numberOf = { trails: IndexList.TRAILS, sessions: IndexList.SESSIONS } as const

/** What this process holds, as the merge asks it. */
export function ownShard(retrieval: Retrieval): IndexShard {
  return {
    part: async (wanted) => retrieval.listPart(wanted),
    tally: async (list, pinIds) => retrieval.listTally(list, pinIds),
  }
}

/** A shard in another process, which learns what is learned here. */
export interface RemoteShard extends IndexShard {
  /** Rejects where the shard can't be reached; then it has not learned it. */
  teach(ranks: Int32Array): Promise<void>
}

/**
 * A shard behind a port, as the merge asks it; `options` is read before each call. Rejects with the port's errors, with
 * CODEC_INVALID for an answer that is none, and with CALL_INVALID_ARGUMENT where it is another shard than `expected`.
 */
export function remoteShard(port: TrailShard, expected: Shard, options: () => CallOptions): RemoteShard {
  async function ask(request: Partial<GatherTrailsRequest>): Promise<GatherTrailsResponse> {
    const response = await port.gatherTrails(GatherTrailsRequest.fromPartial(request), options())
    const { shardIndex, shardCount } = response
    if (shardIndex !== expected.index || shardCount !== expected.count) {
      const wanted = `${expected.index} of ${expected.count}`
      throw new ContractError('CALL_INVALID_ARGUMENT', `shard ${wanted} says it is ${shardIndex} of ${shardCount}`)
    }
    return response
  }
  return {
    part: async ({ list, pinIds, maxPerPin, asker }) =>
      partOf(
        await ask({
          list: numberOf[list],
          pinIds: [...pinIds],
          maxTrailsPerPin: maxPerPin,
          userId: asker?.userId ?? '',
          sessionId: asker?.sessionId ?? '',
          atMs: asker?.atMs ?? 0,
        }),
      ),
    async tally(list, pinIds) {
      const response = await ask({ list: numberOf[list], countedPinIds: [...pinIds] })
      const counts = float64Column(response.counts)
      if (counts.length !== pinIds.length) throw malformed('counts')
      const lags = { chances: float64Column(response.lagChances), returns: float64Column(response.lagReturns) }
      return { ever: response.trailsEver, counts, lags }
    },
    async teach(ranks) {
      await ask({ takenRanks: bytesOf(ranks) })
    },
  }
}

/** Answers another shard, and learns what it has learned. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function trailsResponse(request: GatherTrailsRequest, retrieval: Retrieval, shard: Shard): GatherTrailsResponse {
  const wanted = wantedOf(request)
  const counted = pinIdsOf('counted_pin_ids', request.countedPinIds)
  if (request.takenRanks.length > 0) retrieval.learnRanks(new Int32Array(uint32Column(request.takenRanks)))
  const part = retrieval.listPart(wanted)
  const { counts, ever, lags } = retrieval.listTally(wanted.list, counted)
  const sendsLags = counted.length > 0
  return {
    keyHighs: bytesOf(part.keyHighs),
    keyLows: bytesOf(part.keyLows),
    lastAtMs: bytesOf(part.lastAtMs),
    lengths: bytesOf(part.lengths),
    pinPlaces: bytesOf(part.pinPlaces),
    pinIds: [...part.pinIds],
    touchedPins: bytesOf(part.touchedPins),
    touchingTrails: bytesOf(part.touchingTrails),
    touchedAtMs: bytesOf(part.touchedAtMs),
    counts: bytesOf(counts),
    trailsEver: ever,
    shardIndex: shard.index,
    shardCount: shard.count,
    ownTrail: part.ownPlace + 1,
    lagChances: sendsLags ? bytesOf(lags.chances) : new Uint8Array(),
    lagReturns: sendsLags ? bytesOf(lags.returns) : new Uint8Array(),
  }
}

function wantedOf(request: GatherTrailsRequest): Omit<ListWanted, 'countedPinIds'> {
  if (request.maxTrailsPerPin > maxTrailsPerPin) {
    throw invalid(`max_trails_per_pin is ${request.maxTrailsPerPin}; give at most ${maxTrailsPerPin}`)
  }
  if (!(request.list in listOf)) throw invalid(`list holds the unknown number ${request.list}`)
  const { userId, sessionId, atMs } = request
  const asker: Asker | null = userId === '' ? null : { userId, sessionId: sessionId === '' ? null : sessionId, atMs }
  return {
    list: listOf[request.list as keyof typeof listOf],
    pinIds: pinIdsOf('pin_ids', request.pinIds),
    maxPerPin: request.maxTrailsPerPin,
    asker,
  }
}

function partOf(response: GatherTrailsResponse): ListPart {
  const part: ListPart = {
    keyHighs: uint32Column(response.keyHighs),
    keyLows: uint32Column(response.keyLows),
    lastAtMs: float64Column(response.lastAtMs),
    lengths: uint32Column(response.lengths),
    pinPlaces: uint32Column(response.pinPlaces),
    pinIds: response.pinIds.map((pinId) => asId<PinId>(pinId)),
    touchedPins: uint32Column(response.touchedPins),
    touchingTrails: uint32Column(response.touchingTrails),
    touchedAtMs: float64Column(response.touchedAtMs),
    ownPlace: response.ownTrail - 1,
  }
  const trails = part.keyHighs.length
  const pins = part.lengths.reduce((sum, length) => sum + length, 0)
  if ([part.keyLows, part.lastAtMs, part.lengths].some((column) => column.length !== trails)) throw malformed('trails')
  if (pins !== part.pinPlaces.length) throw malformed('pin_places')
  if (part.touchingTrails.length !== part.touchedPins.length) throw malformed('touching_trails')
  if (part.touchedAtMs.length !== part.touchedPins.length) throw malformed('touched_at_ms')
  if (part.touchingTrails.some((trail) => trail >= trails)) throw malformed('touching_trails')
  if (part.ownPlace >= trails) throw malformed('own_trail')
  return part
}

function pinIdsOf(field: string, values: readonly string[]): PinId[] {
  return values.map((value) => {
    const problem = idProblem(value)
    if (problem !== null) throw invalid(`${field} ${problem}`)
    return asId<PinId>(value)
  })
}

function invalid(problem: string): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', problem)
}

function malformed(column: string): ContractError {
  return new ContractError('CODEC_INVALID', `a shard's ${column} do not fit its other columns`)
}
