import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import type { Column } from '../../plan/column.ts'
import { NewBuffers } from '../../plan/buffers.ts'
import { forest } from './forest.ts'

const params = forest.params.parse({ label: 'save', trees: 30, leaves: 8 })

/** Rows of a number and a category: saved if exactly one of them is high. */
function rowsOf(rows: number, seed: number): { args: readonly Column[]; save: Float32Array } {
  const random = mulberry32(seed)
  const rates = Float32Array.from({ length: rows }, () => random())
  const creators = Int32Array.from({ length: rows }, () => Math.floor(random() * 10) - 1)
  const save = rates.map((rate, row) => (rate > 0.5 !== creators[row]! >= 4 ? 1 : 0))
  return {
    args: [
      { kind: 'numbers', rows, width: 1, values: rates },
      { kind: 'indices', rows, hashes: 1, values: creators },
    ],
    save,
  }
}

function learn() {
  const { args, save } = rowsOf(2000, 1)
  return forest.fit(args, params, {
    rows: 2000,
    labels: new Map([['save', save]]),
    weights: null,
    seed: 1,
    readFile: () => '',
  })
}

function scores(args: readonly Column[], rows: number, state: ReturnType<typeof learn>): Float32Array {
  const column = forest.evaluate(args, params, new NewBuffers(rows), state)
  if (column.kind !== 'numbers') throw new TypeError(column.kind)
  return Float32Array.from(column.values)
}

describe('forest', () => {
  it('learns what neither the number nor the category says alone', () => {
    const { args, save } = rowsOf(500, 2)
    const found = scores(args, 500, learn())
    const right = save.filter((label, row) => found[row]! > 0 === (label === 1)).length
    expect(right / 500).toBeGreaterThan(0.95)
  })

  it('gives the same bits from statistics that went through JSON, and for a row alone', () => {
    const state = learn()
    const { args } = rowsOf(50, 3)
    const found = scores(args, 50, state)
    expect(scores(args, 50, forest.state.parse(JSON.parse(JSON.stringify(state))))).toEqual(found)
    const alone = args.map((column): Column => {
      if (column.kind !== 'numbers' && column.kind !== 'indices') throw new TypeError(column.kind)
      return { ...column, rows: 1, values: column.values.slice(7, 8) } as Column
    })
    expect(scores(alone, 1, state)[0]).toBe(found[7])
  })

  it('learns an order from groups', () => {
    const { args, save } = rowsOf(2000, 5)
    const ordered = forest.params.parse({ label: 'save', trees: 30, leaves: 8, objective: 'lambdarank' })
    const training = { rows: 2000, labels: new Map([['save', save]]), weights: null, seed: 1, readFile: () => '' }
    expect(() => forest.fit(args, ordered, training)).toThrow('these rows have none')
    const groups = Int32Array.from({ length: 2000 }, (_, row) => row >> 3)
    const found = forest.evaluate(
      args,
      ordered,
      new NewBuffers(2000),
      forest.fit(args, ordered, { ...training, groups }),
    )
    const values = found.kind === 'numbers' ? [...found.values] : []
    const mean = (label: number): number => {
      const of = values.filter((_, row) => save[row] === label)
      return of.reduce((sum, value) => sum + value, 0) / of.length
    }
    expect(mean(1)).toBeGreaterThan(mean(0) + 1)
  })

  it('takes numbers, vectors and indices of one hash', () => {
    expect(forest.typeOf([{ kind: 'scalar' }, { kind: 'index', rows: 9, hashes: 1 }], params)).toEqual({
      kind: 'scalar',
    })
    expect(forest.typeOf([{ kind: 'index', rows: 9, hashes: 2 }], params)).toMatchObject({ arg: 0 })
    expect(forest.typeOf([], params)).toHaveProperty('problem')
  })
})
