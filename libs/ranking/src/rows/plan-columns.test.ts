import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { servingInputs } from '../language/serving-inputs.ts'
import { inputProblem } from '../plan/input-check.ts'
import type { PlanInput } from '../plan/plan.ts'
import { planColumns } from './plan-columns.ts'
import { joinRows, noPosition, type RowBatch } from './row-batch.ts'
import { rowBatchOf, someRows } from './rows.fixture.ts'

const scalar = { kind: 'scalar' } as const
const candidate = (name: string): PlanInput => ({ name, type: scalar, side: 'candidate' })
const columnsOf = (names: readonly string[], batches: readonly RowBatch[]) =>
  planColumns(
    {
      spec: 'test',
      inputs: names.map((name) => servingInputs.find((input) => input.name === name) ?? candidate(name)),
    },
    batches.map((batch) => ({ batch, rows: null })),
  )

/** A batch whose two features are those of the catalogue with these names. */
const recorded = (names: readonly [string, string], features: readonly (readonly [number, number])[]): RowBatch => ({
  ...rowBatchOf(features.map((pair, at) => ({ feedId: 'f', pinId: `p${at}`, features: pair }))),
  featureNames: names,
})

describe('the inputs of a plan from rows', () => {
  it('are there for everything that serving has', () => {
    const batch = rowBatchOf([
      { feedId: 'f', pinId: 'a' },
      { feedId: 'g', pinId: 'b' },
    ])
    const columns = planColumns({ spec: 'all', inputs: servingInputs }, [{ batch, rows: null }])
    for (const input of servingInputs) expect(inputProblem(input, columns.get(input.name), 2)).toBeNull()
  })

  it('have the recorded bits, under the names of serving or of the catalogue, whatever the layout of the batch', () => {
    const first = recorded(
      ['pin_age', 'topic_affinity'],
      [
        [0.1, -0],
        [7, 1e-40],
      ],
    )
    const second = recorded(['topic_affinity', 'pin_users'], [[3, 9]])
    const columns = columnsOf(['pin.age', 'candidate.topic_affinity', 'topic_affinity'], [first, second])
    const age = columns.get('pin.age')
    const affinity = { kind: 'numbers', rows: 3, width: 1, values: Float32Array.of(-0, 1e-40, 3) }
    expect(age).toEqual({ kind: 'numbers', rows: 3, width: 1, values: Float32Array.of(0.1, 7, NaN) })
    expect(columns.get('candidate.topic_affinity')).toEqual(affinity)
    expect(columns.get('topic_affinity')).toEqual(affinity)
  })

  it('read texts, topics, sources and the position; what is not known is missing', () => {
    const batch: RowBatch = {
      ...rowBatchOf([
        { feedId: 'f', pinId: 'a', topics: ['wine', 'bread'] },
        { feedId: 'f', pinId: 'b', shown: false },
      ]),
      creatorIds: ['ann', ''],
      locales: ['de', 'de'],
      sourceNames: ['trending', 'pin2vec'],
      sourceRanks: Float32Array.of(NaN, 4, 0, 1),
      position: Uint16Array.of(12, noPosition),
    }
    const names = ['pin.creator', 'request.locale', 'pin.topics', 'candidate.sources', 'candidate.position']
    const columns = columnsOf(names, [batch])
    expect([...columns.values()]).toEqual([
      { kind: 'categories', rows: 2, codes: Int32Array.of(0, -1), names: ['ann'] },
      { kind: 'categories', rows: 2, codes: Int32Array.of(0, 0), names: ['de'] },
      {
        kind: 'sequences',
        rows: 2,
        offsets: Int32Array.of(0, 2, 2),
        elements: { kind: 'categories', rows: 2, codes: Int32Array.of(0, 1), names: ['wine', 'bread'] },
      },
      {
        kind: 'sequences',
        rows: 2,
        offsets: Int32Array.of(0, 1, 3),
        elements: { kind: 'categories', rows: 3, codes: Int32Array.of(0, 0, 1), names: ['pin2vec', 'trending'] },
      },
      { kind: 'numbers', rows: 2, width: 1, values: Float32Array.of(12, NaN) },
    ])
  })

  it('of parts are those of the joined rows', () => {
    const names = ['pin.id', 'pin.topics', 'user.id', 'candidate.position', 'candidate.sources']
    fc.assert(
      fc.property(fc.array(someRows, { minLength: 1, maxLength: 3 }), (parts) => {
        const batches = parts.map(rowBatchOf)
        const joined = joinRows(batches.map((batch) => ({ batch, rows: null })))
        expect(columnsOf(names, batches)).toEqual(columnsOf(names, [joined]))
      }),
    )
  })

  it('that no row has are refused by name', () => {
    const batch = rowBatchOf([{ feedId: 'f', pinId: 'a' }])
    expect(() => columnsOf(['pin.age', 'pin.colour', 'user.mood'], [batch])).toThrow(
      expect.objectContaining({
        code: 'PLAN_INPUT_MISMATCHED',
        message: expect.stringMatching(/colour[^]*mood/) as string,
      }),
    )
  })
})
