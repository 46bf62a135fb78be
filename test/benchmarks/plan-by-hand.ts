import { hash32, mix32 } from '@freshet/domain/hash'
import type { Column } from '@freshet/ranking/plan/column'
import { vectorSize } from './plan-spec.ts'

type Floats = Float32Array | Float64Array
type Result = Float32Array | Int32Array

const hourMs = 3_600_000
const boundaries = [1, 6, 24, 72, 168, 720]

/** The 30 features of the benchmark's spec as one would write them without a plan: loops over columns, results reused. */
export function createByHand(fitted: ReadonlyMap<string, unknown>) {
  const { means, deviations } = fitted.get('f25') as { readonly means: [number]; readonly deviations: [number] }
  const results = new Map<string, Result>()
  const floats = (name: string, length: number): Float32Array =>
    reused(results, name, length, Float32Array) as Float32Array
  const ints = (name: string, length: number): Int32Array => reused(results, name, length, Int32Array) as Int32Array

  return {
    run(inputs: ReadonlyMap<string, Column>, rows: number): ReadonlyMap<string, Result> {
      counts(inputs, rows, floats)
      timesAndRanks(inputs, rows, floats)
      vectors(inputs, rows, floats)
      names(inputs, rows, ints, floats)
      const f1 = results.get('f1')!
      const f4 = results.get('f4')!
      const f11 = results.get('f11')!
      const f14 = results.get('f14')!
      const score = numbersOf(inputs, 'candidate.score')
      const f25 = floats('f25', rows)
      const f29 = floats('f29', rows)
      const f30 = floats('f30', rows)
      for (let row = 0; row < rows; row++) {
        f25[row] = (f1[row]! - means[0]) / deviations[0]
        f29[row] = f4[row]! * f11[row]!
        f30[row] = (Number.isNaN(score[row]) ? 0 : score[row]!) + Math.fround(0.5 * f14[row]!)
      }
      return results
    },
  }
}

type Floating = (name: string, length: number) => Float32Array

function counts(inputs: ReadonlyMap<string, Column>, rows: number, floats: Floating): void {
  const [saves, clicks, hides] = ['pin.saves', 'pin.clicks', 'pin.hides'].map((name) => numbersOf(inputs, name))
  const impressions = numbersOf(inputs, 'pin.impressions')
  const [f1, f2, f3, f4] = ['f1', 'f2', 'f3', 'f4'].map((name) => floats(name, rows))
  const [f5, f6, f13] = ['f5', 'f6', 'f13'].map((name) => floats(name, rows))
  for (let row = 0; row < rows; row++) {
    f1![row] = Math.log1p(Math.max(0, saves![row]!))
    f2![row] = Math.log1p(Math.max(0, clicks![row]!))
    f3![row] = Math.log1p(Math.max(0, impressions[row]!))
    f4![row] = (saves![row]! + 0.02 * 20) / (impressions[row]! + 20)
    f5![row] = (clicks![row]! + 0.05 * 20) / (impressions[row]! + 20)
    f6![row] = (hides![row]! + 0.01 * 50) / (impressions[row]! + 50)
    f13![row] = Math.sqrt(Math.max(0, impressions[row]!))
  }
}

function timesAndRanks(inputs: ReadonlyMap<string, Column>, rows: number, floats: Floating): void {
  const [saves, clicks] = ['pin.saves', 'pin.clicks'].map((name) => numbersOf(inputs, name))
  const [created, savedAt] = ['pin.created_at', 'pin.saves_at'].map((name) => numbersOf(inputs, name))
  const now = numbersOf(inputs, 'request.time')[0]!
  const [affinity, rank] = ['candidate.affinity', 'candidate.rank'].map((name) => numbersOf(inputs, name))
  const [otherRank, score] = ['candidate.other_rank', 'candidate.score'].map((name) => numbersOf(inputs, name))
  const ageHours = numbersOf(inputs, 'pin.age_hours')
  const [f7, f8, f9, f10, f11, f12] = ['f7', 'f8', 'f9', 'f10', 'f11', 'f12'].map((name) => floats(name, rows))
  const [f21, f26, f27, f28] = ['f21', 'f26', 'f27', 'f28'].map((name) => floats(name, rows))
  for (let row = 0; row < rows; row++) {
    f7![row] = Math.max(0, now - created![row]!) / hourMs
    f8![row] = Math.exp(Math.min(88, Math.fround(-f7![row]! / 24)))
    const elapsed = now - savedAt![row]!
    f9![row] = saves![row]! * (elapsed <= 0 ? 1 : 2 ** (-elapsed / (24 * hourMs)))
    f10![row] = clicks![row]! * (elapsed <= 0 ? 1 : 2 ** (-elapsed / (720 * hourMs)))
    const x = affinity![row]!
    f11![row] = Math.min(3, Math.max(-3, Math.fround(x < 0 ? -Math.log1p(-x) : Math.log1p(x))))
    f12![row] = ageHours[row]! < 24 ? 1 : 0
    f21![row] = 1 / Math.fround(1 + rank![row]!)
    f26![row] = 1 / (1 + Math.exp(-Math.fround(x - 2)))
    f27![row] = Math.log(Math.max(0.001, score![row]!))
    f28![row] = Math.max(rank![row]!, otherRank![row]!)
  }
}

function vectors(inputs: ReadonlyMap<string, Column>, rows: number, floats: Floating): void {
  const taste = numbersOf(inputs, 'user.taste')
  const embedding = numbersOf(inputs, 'pin.embedding')
  const [f14, f15, f20] = ['f14', 'f15', 'f20'].map((name) => floats(name, rows))
  for (let row = 0; row < rows; row++) {
    let product = 0
    let tasteSquares = 0
    let squares = 0
    for (let at = 0; at < vectorSize; at++) {
      const x = taste[at]!
      const y = embedding[row * vectorSize + at]!
      product += x * y
      tasteSquares += x * x
      squares += y * y
    }
    f14![row] = product
    f15![row] = product / (Math.sqrt(tasteSquares) * Math.sqrt(squares))
    f20![row] = Math.sqrt(squares)
  }
}

function names(
  inputs: ReadonlyMap<string, Column>,
  rows: number,
  ints: (name: string, length: number) => Int32Array,
  floats: Floating,
): void {
  const ageHours = numbersOf(inputs, 'pin.age_hours')
  const creator = categoriesOf(inputs.get('pin.creator'))
  const locale = categoriesOf(inputs.get('pin.locale'))
  const userLocale = categoriesOf(inputs.get('user.locale'))
  const userCreator = categoriesOf(inputs.get('user.creator'))
  const topics = inputs.get('pin.topics') as Extract<Column, { readonly kind: 'sequences' }>
  const topicNames = categoriesOf(topics.elements)
  const hashes = hashesOf(creator.names)
  const topicHashes = hashesOf(topicNames.names)
  const ownName = userCreator.names[userCreator.codes[0]!]!
  const ownLocale = userLocale.names[userLocale.codes[0]!]!
  const first = mix32(hash32(ownLocale))
  const second = mix32(hash32(ownLocale, secondSeed))
  const f16 = ints('f16', rows)
  const f17 = ints('f17', 2 * rows)
  const f18 = ints('f18', 2 * rows)
  const f23 = ints('f23', 2 * rows)
  const [f19, f24] = ['f19', 'f24'].map((name) => floats(name, rows))
  const f22 = floats('f22', 3 * rows).fill(0)
  for (let row = 0; row < rows; row++) {
    let bucket = 0
    while (bucket < boundaries.length && boundaries[bucket]! <= ageHours[row]!) bucket++
    f16[row] = bucket
    const code = creator.codes[row]!
    const one = hashes[2 * code]!
    const two = hashes[2 * code + 1]!
    f17[2 * row] = scaled(one, 65_536)
    f17[2 * row + 1] = scaled(two, 65_536)
    f18[2 * row] = scaled(mix32(Math.imul(first, 31) + one), 65_536)
    f18[2 * row + 1] = scaled(mix32(Math.imul(second, 31) + two), 65_536)
    f19![row] = creator.names[code] === ownName ? 1 : 0
    const place = ['en', 'de', 'fr'].indexOf(locale.names[locale.codes[row]!]!)
    if (place >= 0) f22[3 * row + place] = 1
    for (let at = 0; at < 2; at++)
      f23[2 * row + at] = scaled(topicHashes[2 * topicNames.codes[topics.offsets[row]! + at]!]!, 4_096)
    f24![row] = topics.offsets[row + 1]! - topics.offsets[row]!
  }
}

const secondSeed = 0x9e3779b9
const known = new WeakMap<readonly string[], Uint32Array>()

/** Both hashes of each name; those of names that came before are kept. */
function hashesOf(names: readonly string[]): Uint32Array {
  const hashes =
    known.get(names) ??
    Uint32Array.from({ length: 2 * names.length }, (_, at) => hash32(names[at >> 1]!, at % 2 === 0 ? 0 : secondSeed))
  known.set(names, hashes)
  return hashes
}

function scaled(hash: number, rows: number): number {
  return Math.floor(hash * rows * 2 ** -32)
}

function numbersOf(inputs: ReadonlyMap<string, Column>, name: string): Floats {
  return (inputs.get(name) as Extract<Column, { readonly kind: 'numbers' }>).values
}

function categoriesOf(column: Column | undefined): Extract<Column, { readonly kind: 'categories' }> {
  return column as Extract<Column, { readonly kind: 'categories' }>
}

function reused(
  results: Map<string, Result>,
  name: string,
  length: number,
  kind: typeof Float32Array | typeof Int32Array,
): Result {
  let result = results.get(name)
  if (result?.length !== length) {
    result = new kind(length)
    results.set(name, result)
  }
  return result
}
