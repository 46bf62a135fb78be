import { hash32, mix32 } from '@freshet/domain/hash'
import type { Column } from '../plan/column.ts'
import type { Output } from './definition.ts'

/** A column of one name per row: a category, or a bucket. */
export type Names = Extract<Column, { readonly kind: 'categories' | 'indices' }>

/** A column of categories. */
export type Categories = Extract<Column, { readonly kind: 'categories' }>

/** A column as one of names. Throws a TypeError if it is not: the types of a plan exclude that. */
export function asNames(column: Column | undefined): Names {
  if (column?.kind === 'categories' || column?.kind === 'indices') return column
  throw new TypeError(`expected names, got ${column?.kind ?? 'no column'}`)
}

/** A column as one of categories. Throws a TypeError if it is not. */
export function asCategories(column: Column | undefined): Categories {
  if (column?.kind === 'categories') return column
  throw new TypeError(`expected categories, got ${column?.kind ?? 'no column'}`)
}

/** A column's codes; missing: negative. */
export function codesOf(column: Names): Int32Array {
  return column.kind === 'categories' ? column.codes : column.values
}

/** The seed of a name's second hash. */
const secondSeed = 0x9e3779b9

interface KnownHashes {
  readonly pairs: Int32Array
  /** 1: the pair of this code is computed. */
  readonly known: Uint8Array
}

/** Hashes of dictionaries that are in use: a dictionary that serves many requests is hashed once. */
const knownHashes = new WeakMap<readonly string[], KnownHashes>()

/** Two independent hashes of values: those of the value at position p are at 2 · places[p] and the next place of `pairs`. */
export interface PlacedHashes {
  readonly pairs: Int32Array
  /** Negative: the value is missing. */
  readonly places: Int32Array
}

/**
 * The hashes of the values of a column. A bucket is hashed by its number, a cross by the hashes of its parts, another category
 * by its text. Those of categories are not copied: a dictionary has them by code.
 */
export function placedHashes(column: Names, output: Output): PlacedHashes {
  if (column.kind === 'categories') return { pairs: column.hashes ?? hashesOfDictionary(column), places: column.codes }
  const { values } = column
  const pairs = output.ints(2 * values.length)
  const places = output.ints(values.length)
  for (let at = 0; at < values.length; at++) {
    const bucket = values[at]!
    places[at] = bucket < 0 ? -1 : at
    pairs[2 * at] = mix32(bucket + 1)
    pairs[2 * at + 1] = mix32((bucket + 1) ^ secondSeed)
  }
  return { pairs, places }
}

function hashesOfDictionary({ codes, names }: Pick<Categories, 'codes' | 'names'>): Int32Array {
  const { pairs, known } = cacheOf(names)
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!
    if (code < 0 || known[code] === 1) continue
    pairs[2 * code] = hash32(names[code]!)
    pairs[2 * code + 1] = hash32(names[code]!, secondSeed)
    known[code] = 1
  }
  return pairs
}

function cacheOf(names: readonly string[]): KnownHashes {
  const cache = knownHashes.get(names)
  if (cache !== undefined && cache.known.length >= names.length) return cache
  const known = new Uint8Array(Math.max(names.length, 2 * (cache?.known.length ?? 0)))
  const pairs = new Int32Array(2 * known.length)
  if (cache !== undefined) {
    known.set(cache.known)
    pairs.set(cache.pairs)
  }
  knownHashes.set(names, { pairs, known })
  return { pairs, known }
}

/** Row `which` (from 0) of a table of `rows` rows for a name with two hashes (double hashing: Kirsch, Mitzenmacher 2006). */
export function hashedRow(first: number, second: number, which: number, rows: number): number {
  return scaledHash(which === 0 ? first : which === 1 ? second : mix32(first + Math.imul(which, second | 1)), rows)
}

/** A row of a table for a hash. Scales instead of taking the remainder, which would favour low rows of some tables. */
export function scaledHash(hash: number, rows: number): number {
  return Math.floor((hash >>> 0) * rows * 2 ** -32)
}

/** The name of a code. */
export function nameOf(column: Names, code: number): string {
  return column.kind === 'categories' ? column.names[code]! : String(code)
}

const positions = new WeakMap<readonly string[], ReadonlyMap<string, number>>()

/** The position of each name in a list. The list must not change. */
export function positionsIn(names: readonly string[]): ReadonlyMap<string, number> {
  let found = positions.get(names)
  if (found === undefined) {
    found = new Map(names.map((name, position) => [name, position]))
    positions.set(names, found)
  }
  return found
}

/** A column with other codes of the same dictionary. It reads the names only if something asks for them. */
export class ChosenCategories {
  readonly kind = 'categories'
  readonly codes: Int32Array
  readonly #from: Categories

  constructor(from: Categories, codes: Int32Array) {
    this.#from = from
    this.codes = codes
  }

  get rows(): number {
    return this.codes.length
  }

  get names(): readonly string[] {
    return this.#from.names
  }

  /** Those of the dictionary, which cover its other codes too. */
  get hashes(): Int32Array {
    return this.#from.hashes ?? hashesOfDictionary(this)
  }
}
