/**
 * Vector search: the exact index against usearch's exact f32 search, the approximate one against both usearch's exact
 * search and its HNSW graph.
 *
 *   node test/benchmarks/vectors.ts [--full]
 *
 * --full builds the HNSW reference over 10⁶ rows (many minutes) instead of 10⁵.
 */
import { fileURLToPath } from 'node:url'
import { createVectorIndex } from '@freshet/vectors/adaptive-index'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { createApproximateIndex } from '@freshet/vectors/approximate-index'
import { createExactIndex } from '@freshet/vectors/exact-index'
import { exactSearch, Index, MetricKind, ScalarKind } from 'usearch'
import { comparedRow, formatRows, plainRow, quantile, type BenchRow } from './row.ts'

const dimensions = 64
const k = 100

/** Whether the slow reference is built too. */
export interface VectorBenchOptions {
  readonly full?: boolean
}

type Shape = 'mixture' | 'shapeless'

interface Data {
  readonly rows: Float32Array
  readonly queries: readonly Float32Array[]
  readonly note: string
}

/** All rows of this benchmark; several minutes, about 1.5 GB. */
export async function vectorRows({ full = false }: VectorBenchOptions = {}): Promise<BenchRow[]> {
  return [...exactRows(), ...approximateRows('mixture', full), ...approximateRows('shapeless', false), ...growthRows()]
}

function exactRows(): BenchRow[] {
  const n = 100_000
  const { rows, queries, note } = draw('shapeless', n, 100)
  const index = createExactIndex({ dimensions })
  const added = perOperation(n, (row) => index.upsert(row, vectorOf(rows, row)))
  const ours: number[] = []
  const theirs: number[] = []
  const filtered: number[] = []
  let found = 0
  // The first round is for the compilers.
  for (let round = 0; round < 6; round++)
    for (const query of queries) {
      const [reference, referenceMs] = timed(() => exactSearch(rows, query, dimensions, k, MetricKind.IP, 1))
      const [hits, ms] = timed(() => index.search(query, k))
      if (round === 0) continue
      theirs.push(referenceMs)
      ours.push(ms)
      found += shared(hits.rows, new Set(Array.from(reference.keys, Number)))
    }
  for (const query of queries) filtered.push(timed(() => index.search(query, k, { accept: (row) => row % 2 === 0 }))[1])
  const replaced = perOperation(n, (row) => index.upsert(row, vectorOf(rows, n - 1 - row)))
  const bytes = index.bytes
  const removed = perOperation(n, (row) => index.remove(row))
  const about = `${note}, k ${k}, A B A B, median of ${ours.length}`
  const reference = 'usearch exact f32, 1 thread'
  return [
    comparedRow({
      name: 'exact vector search, 100,000 × 64, p50',
      value: quantile(ours, 0.5),
      unit: 'ms',
      reference,
      referenceValue: quantile(theirs, 0.5),
      aim: 'ratio ≤ 0.4',
      note: about,
    }),
    comparedRow({
      name: 'exact vector search, 100,000 × 64, p99',
      value: quantile(ours, 0.99),
      unit: 'ms',
      reference,
      referenceValue: quantile(theirs, 0.99),
      aim: '',
      note: about,
    }),
    plainRow('exact vector search, recall@100', found / (ours.length * k), 'share', '≥ 0.99', about),
    plainRow('exact vector search, half filtered away, p50', quantile(filtered, 0.5), 'ms', '', `${note}, k ${k}`),
    plainRow('exact index, add a row', added, 'ns', 'O(1)', 'mean while growing from 0 to 100,000'),
    plainRow('exact index, replace a row', replaced, 'ns', 'O(1)', 'mean at 100,000'),
    plainRow('exact index, remove a row', removed, 'ns', 'O(1)', 'mean from 100,000 to 0'),
    plainRow('exact index, memory', bytes / n, 'bytes/row', '', '64 f32 are 256 of them'),
  ]
}

function approximateRows(shape: Shape, full: boolean): BenchRow[] {
  const n = 1_000_000
  const { rows, queries, note } = draw(shape, n, 100)
  const index = createApproximateIndex({ dimensions })
  const operations: number[] = []
  const [, buildMs] = timed(() => {
    for (let row = 0; row < n; row++) operations.push(timed(() => index.upsert(row, vectorOf(rows, row)))[1])
  })
  const hnswRows = full ? n : n / 10
  const hnsw = shape === 'mixture' ? buildHnsw(rows, hnswRows) : undefined
  const ours: number[] = []
  const exact: number[] = []
  const graph: number[] = []
  let found = 0
  let graphFound = 0
  for (let round = 0; round < 3; round++)
    for (const query of queries) {
      const [reference, exactMs] = timed(() => exactSearch(rows, query, dimensions, k, MetricKind.IP, 1))
      const [hits, ms] = timed(() => index.search(query, k))
      const [graphHits, graphMs] = timed(() => hnsw?.index.search(query, k, 1))
      if (round === 0) continue
      exact.push(exactMs)
      ours.push(ms)
      const best = new Set(Array.from(reference.keys, Number))
      found += shared(hits.rows, best)
      if (!graphHits) continue
      graph.push(graphMs)
      const part = full ? best : bestOf(rows.subarray(0, hnswRows * dimensions), query)
      graphFound += shared(Array.from(graphHits.keys, Number), part)
    }
  const replaced = perOperation(20_000, (i) => index.upsert(i * 50, nudged(vectorOf(rows, i * 50))))
  const [saved, saveMs] = timed(() => index.save())
  const [, loadMs] = timed(() => createApproximateIndex({ dimensions, saved }))
  const bytes = index.bytes
  const removed = perOperation(20_000, (i) => index.remove(i * 50))
  const about = `${note}, k ${k}`
  const title = `approximate vector search, 10⁶ × 64, ${shape}`
  const byExact = { reference: 'usearch exact f32, 1 thread', unit: 'ms', aim: '', note: `${about}, A B A B` }
  const perRow = `mean, at 10⁶ rows, ${shape}`
  const out = [
    plainRow(`${title}, recall@100`, found / (ours.length * k), 'share', '≥ 0.95', about),
    comparedRow({
      ...byExact,
      name: `${title}, p50`,
      value: quantile(ours, 0.5),
      referenceValue: quantile(exact, 0.5),
    }),
    comparedRow({
      ...byExact,
      name: `${title}, p99`,
      value: quantile(ours, 0.99),
      referenceValue: quantile(exact, 0.99),
    }),
    plainRow(`approximate index, build of 10⁶ rows, ${shape}`, buildMs / 1000, 's', '', 'one upsert after another'),
    plainRow(
      `approximate index, add a row, ${shape}, p50`,
      quantile(operations, 0.5) * 1000,
      'µs',
      '',
      'from 0 to 10⁶',
    ),
    plainRow(
      `approximate index, add a row, ${shape}, p99.9`,
      quantile(operations, 0.999) * 1000,
      'µs',
      '',
      'from 0 to 10⁶, splits of cells included',
    ),
    plainRow(`approximate index, replace a row, ${shape}`, replaced / 1000, 'µs', '', `${perRow}, by a vector nearby`),
    plainRow(`approximate index, remove a row, ${shape}`, removed / 1000, 'µs', '', perRow),
    plainRow(`approximate index, memory, ${shape}`, bytes / n, 'bytes/row', '', '64 f32 are 256 of them'),
    plainRow(`approximate index, save 10⁶ rows, ${shape}`, saveMs, 'ms', '', `${saved.length} bytes`),
    plainRow(`approximate index, load 10⁶ rows, ${shape}`, loadMs, 'ms', '', 'checksum, codes and means included'),
  ]
  if (!hnsw) return out
  const hnswNote = `usearch HNSW over ${hnswRows} rows, f32, M 16, ef 128 / 256; ${about}`
  return [
    ...out,
    plainRow(`reference HNSW, recall@100, ${shape}`, graphFound / (graph.length * k), 'share', '', hnswNote),
    plainRow(`reference HNSW, p50, ${shape}`, quantile(graph, 0.5), 'ms', '', hnswNote),
    plainRow(`reference HNSW, p99, ${shape}`, quantile(graph, 0.99), 'ms', '', hnswNote),
    plainRow(`reference HNSW, build, ${shape}`, hnsw.buildMs / 1000, 's', '', hnswNote),
  ]
}

/** The cost of a search as the catalogue grows a hundredfold, in one index. */
function growthRows(): BenchRow[] {
  const { rows, queries, note } = draw('mixture', 1_000_000, 100)
  const index = createVectorIndex({ dimensions })
  const medians: number[] = []
  let row = 0
  for (const size of [10_000, 100_000, 1_000_000]) {
    for (; row < size; row++) index.upsert(row, vectorOf(rows, row))
    const times = [0, 1, 2, 3, 4].flatMap(() => queries.map((query) => timed(() => index.search(query, k))[1]))
    medians.push(quantile(times.slice(queries.length), 0.5))
  }
  const [small, middle, large] = medians as [number, number, number]
  return [
    comparedRow({
      name: 'vector search, 10⁵ rows against 10⁴',
      value: middle,
      unit: 'ms',
      reference: 'the same at 10⁴',
      referenceValue: small,
      aim: '',
      note: `${note}, k ${k}, createVectorIndex`,
    }),
    comparedRow({
      name: 'vector search, 10⁶ rows against 10⁴',
      value: large,
      unit: 'ms',
      reference: 'the same at 10⁴',
      referenceValue: small,
      aim: 'ratio ≤ 2',
      note: `${note}, k ${k}, createVectorIndex`,
    }),
  ]
}

function buildHnsw(rows: Float32Array, n: number): { readonly index: Index; readonly buildMs: number } {
  const index = new Index({
    dimensions,
    metric: MetricKind.IP,
    quantization: ScalarKind.F32,
    connectivity: 16,
    expansion_add: 128,
    expansion_search: 256,
    multi: false,
  })
  const keys = BigUint64Array.from({ length: n }, (_, row) => BigInt(row))
  const [, buildMs] = timed(() => index.add(keys, rows.slice(0, n * dimensions), 1))
  return { index, buildMs }
}

function bestOf(rows: Float32Array, query: Float32Array): Set<number> {
  return new Set(Array.from(exactSearch(rows, query, dimensions, k, MetricKind.IP, 1).keys, Number))
}

/**
 * Unit vectors, rows and queries alike: a mixture of 2,000 normal clouds of very unequal sizes, or one round cloud, in
 * which no neighbour is much nearer than any other.
 */
function draw(shape: Shape, n: number, queries: number): Data {
  const random = mulberry32(shape === 'mixture' ? 17 : 18)
  const clouds = 2_000
  const centres = Float32Array.from({ length: clouds * dimensions }, () => normal(random))
  const fill = (out: Float32Array) => {
    const centre = Math.floor(random() * random() * clouds) * dimensions
    let square = 0
    for (let i = 0; i < dimensions; i++) {
      const x = shape === 'mixture' ? centres[centre + i]! + 0.7 * normal(random) : normal(random)
      out[i] = x
      square += x * x
    }
    const length = Math.sqrt(square)
    for (let i = 0; i < dimensions; i++) out[i]! /= length
    return out
  }
  const rows = new Float32Array(n * dimensions)
  for (let row = 0; row < n; row++) fill(vectorOf(rows, row))
  return {
    rows,
    queries: Array.from({ length: queries }, () => fill(new Float32Array(dimensions))),
    note:
      shape === 'mixture'
        ? 'unit vectors, mixture of 2,000 normal clouds (σ 0.7 around N(0, 1) centres)'
        : 'unit vectors, one round cloud',
  }
}

function nudged(vector: Float32Array): Float32Array {
  return vector.map((x, i) => x + (i % 2 === 0 ? 0.01 : -0.01))
}

function vectorOf(rows: Float32Array, row: number): Float32Array {
  return rows.subarray(row * dimensions, (row + 1) * dimensions)
}

function shared(rows: Iterable<number>, best: ReadonlySet<number>): number {
  let found = 0
  for (const row of rows) if (best.has(row)) found++
  return found
}

function timed<T>(act: () => T): [T, number] {
  const start = performance.now()
  const result = act()
  return [result, performance.now() - start]
}

/** Mean nanoseconds of `n` operations. */
function perOperation(n: number, act: (i: number) => void): number {
  const start = performance.now()
  for (let i = 0; i < n; i++) act(i)
  return ((performance.now() - start) / n) * 1e6
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(formatRows(await vectorRows({ full: process.argv.includes('--full') })))
