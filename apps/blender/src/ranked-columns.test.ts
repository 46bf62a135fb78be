import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { RankAnswer } from '@freshet/contracts/ports/calls'
import { describe, expect, it } from 'vitest'
import { rankedColumns } from './ranked-columns.ts'

const featureNames = ['age', 'saves']
const topics = [['cats'], [], ['dogs', 'birds'], ['fish']]

function recordOf(places: Iterable<number>): Pick<RankResponse, 'features' | 'facts'> {
  const rows = [...places]
  return {
    features: bytesOf(Float32Array.from(rows.flatMap((place) => [place + 0.25, -place]))),
    facts: [
      {
        name: 'pin.topics',
        texts: rows.flatMap((place) => topics[place]!),
        counts: bytesOf(Uint16Array.from(rows, (place) => topics[place]!.length)),
      },
    ],
  }
}

describe('the part of the record that comes from the ranker', () => {
  const utilities = bytesOf(new Float32Array(topics.length))
  const common = RankResponse.fromPartial({ featureNames, utilities })
  const columns: RankAnswer = { ...common, ...recordOf(topics.keys()) }
  const reader: RankAnswer = { ...common, readRows: recordOf }

  it.each([
    ['all pins were scored', [3, 0, 2]],
    ['the ranker did not score some', [1, -1, 2, 3, -1]],
    ['the ranker scored none', [-1, -1]],
  ])('is the same whether the answer has columns or reads rows: %s', (_, shown) => {
    const rows = Int32Array.from(shown.keys())
    const ranked = { places: Int32Array.from(shown), notes: [] }
    const [found, read] = [columns, reader].map((response) => rankedColumns(rows, { ...ranked, response }))
    expect(read).toEqual(found)
    expect([...float32Column(read!.features)]).toEqual(
      shown.flatMap((place) => (place < 0 ? [0, 0] : [place + 0.25, -place])),
    )
  })
})
