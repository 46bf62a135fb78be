import { uint16Column } from '@freshet/contracts/bytes/columns'
import { SourceStatus } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { asId, type PinId } from '@freshet/domain/ids'
import { expect, it } from 'vitest'
import { toResponse } from './retrieve.ts'

it('says of each source whether it answered, had nothing, broke off or was left out', () => {
  const found = (name: string, ...candidates: number[]) => ({
    name,
    candidates: Int32Array.from(candidates),
    scores: Float32Array.from(candidates),
    ranks: Int32Array.from(candidates, (_, rank) => rank + 1),
  })
  const { sources } = toResponse(
    {
      pinIds: [asId<PinId>('bread')],
      scores: Float32Array.of(1),
      sources: [found('full', 0), found('empty'), found('late', 0), found('later'), found('partial', 0)],
      interrupted: ['late', 'later'],
      skipped: ['latest'],
      seeds: new Map([['full', Uint16Array.of(4, 2)]]),
      times: [],
      incomplete: ['partial'],
      sweptTo: 0,
      exhausted: false,
      shownBefore: 0,
    },
    { fresh: true, catchingUp: false, embeddings: [], boards: null },
  )
  expect(sources.map(({ seeds }) => [...uint16Column(seeds)])).toEqual([[4, 2], [], [], [], [], []])
  expect(sources.map(({ source, status, scores }) => [source, status, scores.length / 4])).toEqual([
    ['full', SourceStatus.ANSWERED, 1],
    ['empty', SourceStatus.EMPTY, 0],
    ['late', SourceStatus.TIMED_OUT, 1],
    ['later', SourceStatus.TIMED_OUT, 0],
    ['partial', SourceStatus.FAILED, 1],
    ['latest', SourceStatus.TIMED_OUT, 0],
  ])
})
