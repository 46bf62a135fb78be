import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileForest, forestScores, rawForestScores, type FeatureMatrix } from './forest.ts'
import { parseForest } from './parse.ts'

/** A model of PyPI's lightgbm with rows and its predictions; written by scripts/lightgbm-golden.py, which explains the fields. */
interface Case {
  readonly name: string
  readonly features: number
  readonly model: string
  readonly rows: readonly string[]
  readonly raw: string
  readonly output: string
}

const read = (file: string): readonly Case[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }).cases
const committed = read(join(import.meta.dirname, 'golden/lightgbm.json'))

function doublesOf(hex: string): Float64Array {
  const bytes = Buffer.from(hex, 'hex')
  return Float64Array.from({ length: bytes.length / 8 }, (_, at) => bytes.readDoubleBE(8 * at))
}

function hexOf(values: Float64Array): string {
  const bytes = Buffer.alloc(8 * values.length)
  values.forEach((value, at) => bytes.writeDoubleBE(value, 8 * at))
  return bytes.toString('hex')
}

function rowMajor({ rows, features }: Case): FeatureMatrix {
  return { values: doublesOf(rows.join('')), rows: rows.length, rowStride: features, featureStride: 1 }
}

/** The distance of two doubles of the same sign in units of the last place. */
function placesApart(a: Float64Array, b: Float64Array): number {
  const [left, right] = [new BigInt64Array(a.buffer), new BigInt64Array(b.buffer)]
  return Math.max(...Array.from(left, (bits, at) => Math.abs(Number(bits - right[at]!))))
}

function evaluate(golden: Case): { readonly raw: Float64Array; readonly output: Float64Array } {
  const forest = compileForest(parseForest(golden.model, golden.name))
  const [raw, output] = [new Float64Array(golden.rows.length), new Float64Array(golden.rows.length)]
  rawForestScores(forest, rowMajor(golden), raw)
  forestScores(forest, rowMajor(golden), output)
  return { raw, output }
}

describe('a forest of LightGBM', () => {
  it.each(committed)(
    '$name: raw scores have the bits of lightgbm, outputs are within 2 units of the last place',
    (golden) => {
      const { raw, output } = evaluate(golden)
      expect(hexOf(raw)).toBe(golden.raw)
      expect(placesApart(output, doublesOf(golden.output))).toBeLessThanOrEqual(2)
    },
  )

  it('reads a matrix by columns and by rows alike', () => {
    for (const golden of committed) {
      const { values, rows } = rowMajor(golden)
      const columns = Float64Array.from(
        values,
        (_, at) => values[(at % rows) * golden.features + Math.floor(at / rows)]!,
      )
      const out = new Float64Array(rows)
      const forest = compileForest(parseForest(golden.model))
      rawForestScores(forest, { values: columns, rows, rowStride: 1, featureStride: rows }, out)
      expect(hexOf(out), golden.name).toBe(golden.raw)
    }
  })

  const random = process.env['FOREST_DIFFERENTIAL']
  // Only by hand: its cases take minutes to make.
  if (random !== undefined) {
    it('equals lightgbm on random models (FOREST_DIFFERENTIAL names their file)', () => {
      const cases = read(random)
      let apart = 0
      for (const golden of cases) {
        const { raw, output } = evaluate(golden)
        expect(hexOf(raw), golden.name).toBe(golden.raw)
        apart = Math.max(apart, placesApart(output, doublesOf(golden.output)))
      }
      expect(apart).toBeLessThanOrEqual(2)
      console.info(
        `${cases.length} random models are equal; outputs are at most ${apart} units of the last place apart`,
      )
    })
  }
})
