/**
 * The columns of a plan with 30 features of the catalogue for 500 candidates, against the same formulas written by hand; and
 * whether 100,000 calls on one plan slow it down.
 *
 *   node test/benchmarks/plan.ts
 */
import { fileURLToPath } from 'node:url'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { compileSpec } from '@freshet/ranking/language/compile'
import type { Column } from '@freshet/ranking/plan/column'
import { fitPlan } from '@freshet/ranking/plan/fit-plan'
import { planCost } from '@freshet/ranking/plan/plan-cost'
import { createProgram, type Program } from '@freshet/ranking/plan/program'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { cpuMsNow, type Bench } from './bench.ts'
import { createByHand } from './plan-by-hand.ts'
import { planSpec, scalarInputs, vectorSize } from './plan-spec.ts'
import { comparedRow, formatRows, plainRow, quantile, type BenchRow } from './row.ts'

const candidates = 500
const note = `${candidates} candidates, 30 features; both ways compute the same bits`

/** All rows of this benchmark: 30 seconds, with `quick` one. */
export async function planRows({ quick }: Bench): Promise<BenchRow[]> {
  const { plan } = compileSpec(planSpec, {
    file: 'benchmark.rank',
    catalogue: transformCatalogue,
    inputs: null,
    readFile: (path) => {
      throw new Error(`the spec extends ${path}`)
    },
  })
  const random = mulberry32(1)
  const training = page(random, candidates, candidates)
  const table = { rows: candidates, inputs: training, labels: new Map(), weights: null }
  const fitted = fitPlan(plan, table, { seed: 1, catalogue: transformCatalogue })
  const results = plan.nodes.map(({ id }) => id).filter((id) => /^f\d+$/.test(id))
  const program = createProgram(plan, fitted, transformCatalogue, { results })
  const byHand = createByHand(fitted)
  checkEqual(program, byHand, page(random, candidates, 1))
  const dictionaries = newDictionaries(random)
  const { perCandidate } = planCost(plan, transformCatalogue)
  return [
    pageRow(
      '',
      '≤ 0.3',
      compare(program, byHand, () => page(random, candidates, 1, dictionaries), quick ? 5 : 60),
    ),
    pageRow(
      ', names seen for the first time',
      '',
      compare(program, byHand, () => page(random, candidates, 1), quick ? 5 : 60),
    ),
    plainRow('feature plan, multiply-adds', perCandidate, 'per candidate', '', 'as `planCost` estimates it'),
    ...steadyRows(program, random, quick ? 2_000 : 100_000),
  ]
}

interface Compared {
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
}

function pageRow(which: string, aim: string, { ours, theirs }: Compared): BenchRow {
  return comparedRow({
    name: `feature plan, one page${which}`,
    value: quantile(ours, 0.5),
    unit: 'CPU ms',
    reference: 'the same formulas written by hand',
    referenceValue: quantile(theirs, 0.5),
    aim,
    note,
  })
}

/** CPU milliseconds of a page, both ways alternating, each the mean over 40 pages. */
function compare(
  program: Program,
  byHand: ReturnType<typeof createByHand>,
  draw: () => ReadonlyMap<string, Column>,
  rounds: number,
): Compared {
  const pages = 40
  const ours: number[] = []
  const theirs: number[] = []
  // The first rounds are for the compilers.
  for (let round = -5; round < rounds; round++) {
    // Pages of their own, so that names which one side hashed do not help the other.
    const [forProgram, forHand] = [1, 2].map(() => Array.from({ length: pages }, draw))
    const programMs = cpuMs(() => forProgram!.forEach((inputs) => program.run(inputs, candidates))) / pages
    const handMs = cpuMs(() => forHand!.forEach((inputs) => byHand.run(inputs, candidates))) / pages
    if (round < 0) continue
    ours.push(programMs)
    theirs.push(handMs)
  }
  return { ours, theirs }
}

/** Calls on one plan: the last tenth against the first, after 2,000 calls for the compilers. Pages have 50 rows to be quick. */
function steadyRows(program: Program, random: () => number, calls: number): BenchRow[] {
  const rows = 50
  const pages = Array.from({ length: 20 }, () => page(random, rows, 1))
  const run = (count: number): number =>
    cpuMs(() => {
      for (let call = 0; call < count; call++) program.run(pages[call % pages.length]!, rows)
    })
  run(2_000)
  const tenths = Array.from({ length: 10 }, () => run(calls / 10))
  return [
    comparedRow({
      name: `feature plan, last tenth of ${calls} calls`,
      value: (tenths[9]! / calls) * 10_000,
      unit: 'CPU µs a call',
      reference: 'the first tenth',
      referenceValue: (tenths[0]! / calls) * 10_000,
      aim: 'ratio ≤ 1.1',
      note: `${rows} candidates`,
    }),
  ]
}

/** Ends the benchmark if both ways do not compute the same bits. */
function checkEqual(
  program: Program,
  byHand: ReturnType<typeof createByHand>,
  inputs: ReadonlyMap<string, Column>,
): void {
  const expected = byHand.run(inputs, candidates)
  for (const [name, column] of program.run(inputs, candidates)) {
    const values = 'values' in column ? column.values : null
    if (values === null || values.some((value, at) => !Object.is(value, expected.get(name)?.[at])))
      throw new Error(`feature ${name} differs from the one written by hand`)
  }
}

/** Names of creators, locales and topics. */
type Dictionaries = Readonly<Record<'creator' | 'locale' | 'topic', readonly string[]>>

function newDictionaries(random: () => number): Dictionaries {
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, at) => `${prefix}-${Math.floor(1e6 * random())}-${at}`)
  return { creator: names('creator', 400), locale: names('locale', 5), topic: names('topic', 60) }
}

/** Values of the inputs for `rows` candidates and `requests` requests; with names of their own unless some are given. */
function page(
  random: () => number,
  rows: number,
  requests: number,
  dictionaries = newDictionaries(random),
): ReadonlyMap<string, Column> {
  const columns = new Map<string, Column>()
  const floats = (length: number, draw: () => number) => Float32Array.from({ length }, draw)
  for (const name of scalarInputs)
    columns.set(name, {
      kind: 'numbers',
      rows,
      width: 1,
      values: floats(rows, () => Math.floor(1_000 * random() ** 3)),
    })
  const time = 1_770_000_000_000
  const timesOf = (length: number): Column => ({
    kind: 'numbers',
    rows: length,
    width: 1,
    values: Float64Array.from({ length }, () => time - Math.floor(1e9 * random())),
  })
  columns.set('request.time', {
    kind: 'numbers',
    rows: requests,
    width: 1,
    values: new Float64Array(requests).fill(time),
  })
  for (const name of ['pin.created_at', 'pin.saves_at']) columns.set(name, timesOf(rows))
  for (const [name, length] of [
    ['user.taste', requests],
    ['pin.embedding', rows],
  ] as const)
    columns.set(name, {
      kind: 'numbers',
      rows: length,
      width: vectorSize,
      values: floats(length * vectorSize, () => random() - 0.5),
    })
  const drawn = (length: number, names: readonly string[]): Extract<Column, { kind: 'categories' }> => ({
    kind: 'categories',
    rows: length,
    codes: Int32Array.from({ length }, () => Math.floor(names.length * random())),
    names,
  })
  columns.set('user.locale', drawn(requests, dictionaries.locale))
  columns.set('user.creator', drawn(requests, dictionaries.creator))
  columns.set('pin.creator', drawn(rows, dictionaries.creator))
  columns.set('pin.locale', drawn(rows, ['en', 'de', 'fr']))
  const offsets = Int32Array.from({ length: rows + 1 }, (_, row) => 2 * row)
  columns.set('pin.topics', { kind: 'sequences', rows, offsets, elements: drawn(2 * rows, dictionaries.topic) })
  return columns
}

function cpuMs(work: () => void): number {
  const before = cpuMsNow()
  work()
  return cpuMsNow() - before
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(formatRows(await planRows({ quick: false, say: (text) => console.error(text) })))
