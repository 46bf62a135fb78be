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

/** The most trails of one pin that a request to a shard may want. */
const maxTrailsPerPin = 10_000

const listByNumber = {
  [IndexList.UNSPECIFIED]: 'trails',
  [IndexList.TRAILS]: 'trails',
  [IndexList.SESSIONS]: 'sessions',
} as const satisfies Partial<Record<IndexList, ListName>>
const numberByList = { trails: IndexList.TRAILS, sessions: IndexList.SESSIONS } as const

/** This process's own part of the neighbour index. */
export function ownShard(retrieval: Retrieval): IndexShard {
  return {
    part: async (wanted) => retrieval.listPart(wanted),
    tally: async (list, pinIds) => retrieval.listTally(list, pinIds),
  }
}

/** A shard in another process; it also learns what this process learns. */
export interface RemoteShard extends IndexShard {
  /** Sends ranks to learn from. Rejects if the shard can't be reached; then the shard has not learned them. */
  teach(ranks: Int32Array): Promise<void>
}

/**
 * Makes a shard from a port; it reads `options` before each call. Rejects with the port's errors, with CODEC_INVALID for a
 * malformed answer, and with CALL_INVALID_ARGUMENT if the port reaches another shard than `expected`.
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
      decodePart(
        await ask({
          list: numberByList[list],
          pinIds: [...pinIds],
          maxTrailsPerPin: maxPerPin,
          userId: asker?.userId ?? '',
          sessionId: asker?.sessionId ?? '',
          atMs: asker?.atMs ?? 0,
        }),
      ),
    async tally(list, pinIds) {
      const response = await ask({ list: numberByList[list], countedPinIds: [...pinIds] })
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

/** Answers another shard and learns from the ranks it sends. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function answerGatherTrails(
  request: GatherTrailsRequest,
  retrieval: Retrieval,
  shard: Shard,
): GatherTrailsResponse {
  const wanted = parseWanted(request)
  const counted = parsePinIds('counted_pin_ids', request.countedPinIds)
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

function parseWanted(request: GatherTrailsRequest): Omit<ListWanted, 'countedPinIds'> {
  if (request.maxTrailsPerPin > maxTrailsPerPin) {
    throw invalid(`max_trails_per_pin is ${request.maxTrailsPerPin}; give at most ${maxTrailsPerPin}`)
  }
  if (!(request.list in listByNumber)) throw invalid(`list holds the unknown number ${request.list}`)
  const { userId, sessionId, atMs } = request
  const asker: Asker | null = userId === '' ? null : { userId, sessionId: sessionId === '' ? null : sessionId, atMs }
  return {
    list: listByNumber[request.list as keyof typeof listByNumber],
    pinIds: parsePinIds('pin_ids', request.pinIds),
    maxPerPin: request.maxTrailsPerPin,
    asker,
  }
}

function decodePart(response: GatherTrailsResponse): ListPart {
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

function parsePinIds(field: string, values: readonly string[]): PinId[] {
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
