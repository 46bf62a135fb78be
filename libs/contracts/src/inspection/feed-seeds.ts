import { float64Column, bytesOf, uint16Column } from '../bytes/columns.ts'
import type { Seed, SourceSeeds } from '../gen/freshet/blending/v1/blending.ts'
import type { Action } from '../gen/freshet/engagement/v1/engagement.ts'
import type { FeedSeeds } from '../gen/freshet/feed/v1/feed.ts'
import type { RetrieveRequest, RetrieveResponse } from '../gen/freshet/retrieval/v1/retrieval.ts'

/** The user's own actions that the sources of an answer started from, as records of feeds have them; undefined: none did. */
export function feedSeeds(
  sources: readonly Pick<RetrieveResponse['sources'][number], 'seeds'>[],
  recent: RetrieveRequest['recent'],
): FeedSeeds | undefined {
  if (recent === undefined) return undefined
  const rowOf = new Map<number, number>()
  const bySource = sources.map(({ seeds }) => {
    const rows: number[] = []
    for (const at of uint16Column(seeds)) {
      // The answer of another version may name what the request does not have; the reasons are not worth a failure.
      if (at >= recent.pinIds.length || (!rowOf.has(at) && rowOf.size === 256)) continue
      let row = rowOf.get(at)
      if (row === undefined) rowOf.set(at, (row = rowOf.size))
      rows.push(row)
    }
    return Uint8Array.from(rows)
  })
  if (rowOf.size === 0) return undefined
  const places = [...rowOf.keys()]
  const times = float64Column(recent.occurredAtMs)
  return {
    pinIds: places.map((at) => recent.pinIds[at]!),
    actions: Uint8Array.from(places, (at) => recent.actions[at]!),
    occurredAtMs: bytesOf(Float64Array.from(places, (at) => times[at]!)),
    bySource,
  }
}

/** The actions that each source started from, in the order of the sources of a record. */
function seedsBySource({ pinIds, actions, occurredAtMs, bySource }: FeedSeeds): readonly (readonly Seed[])[] {
  const times = float64Column(occurredAtMs)
  return bySource.map((rows) =>
    [...rows].flatMap((row): Seed[] => {
      const pinId = pinIds[row]
      return pinId === undefined ? [] : [{ pinId, action: actions[row] as Action, occurredAtMs: times[row] ?? 0 }]
    }),
  )
}

/** The same with the names of the sources, without those that started from something else. */
export function namedSeeds(sources: readonly string[], seeds: FeedSeeds | undefined): SourceSeeds[] {
  if (seeds === undefined) return []
  return seedsBySource(seeds).flatMap((found, at) => {
    const source = sources[at]
    return source === undefined || found.length === 0 ? [] : [{ source, seeds: [...found] }]
  })
}
