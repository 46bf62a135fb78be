import { bytesOf, float64Column, uint32Column } from '@freshet/contracts/columns'
import { ContractError } from '@freshet/contracts/errors'
import { GatherTrailsRequest, GatherTrailsResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CallOptions, TrailShard as RemoteShard } from '@freshet/contracts/ports/calls'
import { asId, idProblem, type PinId } from '@freshet/domain/ids'
import type { Shard, TrailPart, TrailShard } from '@freshet/retrieval/neighbours/trail-part'
import type { Retrieval } from '@freshet/retrieval/retrieval'

/** The most trails of one pin that a shard is asked for. */
const maxTrailsPerPin = 10_000

/** What this process holds, as the merge asks it. */
export function ownShard(retrieval: Retrieval): TrailShard {
  return {
    part: async (pinIds, limit) => retrieval.trailPart(pinIds, limit),
    tally: async (pinIds) => retrieval.trailTally(pinIds),
  }
}

/**
 * A shard behind a port, as the merge asks it; `options` is read before each call. Rejects with the port's errors, with
 * CODEC_INVALID for an answer that is none, and with CALL_INVALID_ARGUMENT where it is another shard than `expected`.
 */
export function remoteShard(port: RemoteShard, expected: Shard, options: () => CallOptions): TrailShard {
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
    part: async (pinIds, limit) => partOf(await ask({ pinIds: [...pinIds], maxTrailsPerPin: limit })),
    async tally(pinIds) {
      const { trailsEver, counts: bytes } = await ask({ countedPinIds: [...pinIds] })
      const counts = float64Column(bytes)
      if (counts.length !== pinIds.length) throw malformed('counts')
      return { trailsEver, counts }
    },
  }
}

/** Answers another shard. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function trailsResponse(request: GatherTrailsRequest, retrieval: Retrieval, shard: Shard): GatherTrailsResponse {
  if (request.maxTrailsPerPin > maxTrailsPerPin) {
    const problem = `max_trails_per_pin is ${request.maxTrailsPerPin}; give at most ${maxTrailsPerPin}`
    throw new ContractError('CALL_INVALID_ARGUMENT', problem)
  }
  const part = retrieval.trailPart(pinIdsOf('pin_ids', request.pinIds), request.maxTrailsPerPin)
  const tally = retrieval.trailTally(pinIdsOf('counted_pin_ids', request.countedPinIds))
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
    counts: bytesOf(tally.counts),
    trailsEver: tally.trailsEver,
    shardIndex: shard.index,
    shardCount: shard.count,
  }
}

function partOf(response: GatherTrailsResponse): TrailPart {
  const part: TrailPart = {
    keyHighs: uint32Column(response.keyHighs),
    keyLows: uint32Column(response.keyLows),
    lastAtMs: float64Column(response.lastAtMs),
    lengths: uint32Column(response.lengths),
    pinPlaces: uint32Column(response.pinPlaces),
    pinIds: response.pinIds.map((pinId) => asId<PinId>(pinId)),
    touchedPins: uint32Column(response.touchedPins),
    touchingTrails: uint32Column(response.touchingTrails),
    touchedAtMs: float64Column(response.touchedAtMs),
  }
  const trails = part.keyHighs.length
  const pins = part.lengths.reduce((sum, length) => sum + length, 0)
  if ([part.keyLows, part.lastAtMs, part.lengths].some((column) => column.length !== trails)) throw malformed('trails')
  if (pins !== part.pinPlaces.length) throw malformed('pin_places')
  if (part.touchingTrails.length !== part.touchedPins.length) throw malformed('touching_trails')
  if (part.touchedAtMs.length !== part.touchedPins.length) throw malformed('touched_at_ms')
  if (part.touchingTrails.some((trail) => trail >= trails)) throw malformed('touching_trails')
  return part
}

function pinIdsOf(field: string, values: readonly string[]): PinId[] {
  return values.map((value) => {
    const problem = idProblem(value)
    if (problem !== null) throw new ContractError('CALL_INVALID_ARGUMENT', `${field} ${problem}`)
    return asId<PinId>(value)
  })
}

function malformed(column: string): ContractError {
  return new ContractError('CODEC_INVALID', `a shard's ${column} do not fit its other columns`)
}
