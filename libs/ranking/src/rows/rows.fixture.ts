import fc from 'fast-check'
import { emptyColumn, numbersBy, textsBy, type RowBatch } from './row-batch.ts'

/** A row of tests: the fields that matter. */
export interface FixtureRow {
  readonly feedId: string
  readonly pinId: string
  readonly atMs?: number
  readonly revision?: number
  readonly shown?: boolean
  readonly weight?: number
  readonly click?: boolean
  readonly features?: readonly [number, number]
  readonly topics?: readonly string[]
}

/** A batch of rows with two features, one source and two labels. */
export function rowBatchOf(given: readonly FixtureRow[]): RowBatch {
  const rows = given.length
  const number = (of: (row: FixtureRow) => number) => Float32Array.from(given, of)
  return {
    rows,
    featureNames: ['age', 'clicks'],
    features: Float32Array.from(given.flatMap(({ features = [1, 2] }) => features)),
    sourceNames: ['fresh'],
    sourceRanks: number(() => NaN),
    sourceScores: number(() => 0.5),
    labels: {
      click: Uint8Array.from(given, ({ click = false }) => Number(click)),
      dwellSeconds: number(({ click = false }) => (click ? 4.5 : NaN)),
    },
    ...numbersBy((name) => emptyColumn(name, rows)),
    atMs: Float64Array.from(given, ({ atMs = 1_000 }) => atMs),
    position: Uint16Array.from(given, (_, at) => 300 + at),
    shown: Uint8Array.from(given, ({ shown = true }) => Number(shown)),
    revision: Uint8Array.from(given, ({ revision = 0 }) => revision),
    weight: number(({ weight = 1 }) => weight),
    ...textsBy(() => given.map(() => '')),
    feedIds: given.map(({ feedId }) => feedId),
    pinIds: given.map(({ pinId }) => pinId),
    userIds: given.map(({ feedId }) => `user of ${feedId}`),
    topics: given.map(({ topics = [] }) => topics),
  }
}

/** Any row; few names, so that rows meet. */
const anything: fc.Arbitrary<FixtureRow> = fc.record({
  feedId: fc.constantFrom('f1', 'f2', 'fünf'),
  pinId: fc.constantFrom('a', 'b', 'c'),
  atMs: fc.integer({ min: 1, max: 4_000 }),
  revision: fc.integer({ min: 0, max: 2 }),
  shown: fc.boolean(),
  weight: fc.constantFrom(1, 4),
  click: fc.boolean(),
  features: fc.tuple(fc.float(), fc.float()),
  topics: fc.array(fc.string(), { maxLength: 2 }),
})
/** Some rows of any kind. */
export const someRows = fc.array(anything, { minLength: 1, maxLength: 20 })
