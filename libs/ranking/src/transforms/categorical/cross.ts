import { mix32 } from '@freshet/domain/hash'
import type { Column } from '../../plan/column.ts'
import type { ValueType } from '../../plan/value-type.ts'
import { asNames, codesOf, nameOf, placedHashes, type Names, type PlacedHashes } from '../categories.ts'
import type { FixedTransform, Output, TypeProblem } from '../definition.ts'
import { elementsOf } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { checkList } from '../types.ts'

/** Between the parts of a name: not a visible character, so that no two crosses have one name. */
const separator = '\u001f'
const mostElements = 4_096

/** A name for each combination of names, so that a model can learn about the combination (Cheng et al. 2016, "Wide & deep"). */
export const cross: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'cross',
  summary: 'The combination of names; with sequences each combination of their elements. Missing if a part is missing.',
  formula: '(a, b, …)',
  example: 'feature taste = embedding(hash(cross(user.locale, pin.topics), rows: 65536), size: 16)',
  params: noParams,
  typeOf(args): ValueType | TypeProblem {
    const problem = checkList(args, 2, 'names')
    if (problem !== null) return problem
    const sequences = args.filter((type) => type.kind === 'sequence')
    const max = sequences.reduce((product, type) => product * type.max, 1)
    if (max > mostElements)
      return { problem: `would have up to ${max} combinations for a row; at most ${mostElements} are possible` }
    return sequences.length === 0 ? { kind: 'category' } : { kind: 'sequence', of: { kind: 'category' }, max }
  },
  evaluate: (args, _params, output) =>
    args.some(({ kind }) => kind === 'sequences')
      ? crossedSequences(args, output)
      : crossedRows(args.map(asNames), output),
}

/** Crosses of one name per argument: part after part over whole columns, because most crosses are of this kind. */
function crossedRows(names: readonly Names[], output: Output): Column {
  const { rows } = output
  const hashes = output.ints(2 * rows)
  const codes = output.ints(rows)
  const shared = sharedParts(names, output)
  for (let row = 0; row < rows; row++) {
    codes[row] = shared.isMissing ? -1 : row
    hashes[2 * row] = shared.first
    hashes[2 * row + 1] = shared.second
  }
  for (let which = shared.count; which < names.length && !shared.isMissing; which++) {
    const { pairs, places } = placedHashes(names[which]!, output)
    const step = names[which]!.rows === 1 ? 0 : 1
    for (let row = 0, at = 0; row < rows; row++, at += step) {
      const place = places[at]!
      if (place < 0) codes[row] = -1
      else {
        hashes[2 * row] = combined(hashes[2 * row]!, pairs[2 * place]!)
        hashes[2 * row + 1] = combined(hashes[2 * row + 1]!, pairs[2 * place + 1]!)
      }
    }
  }
  return new CrossColumn(codes, hashes, null, names)
}

/** The first parts, as far as they have one row each and so are the same for all rows: their hashes so far. */
function sharedParts(names: readonly Names[], output: Output) {
  const shared = { count: 0, first: 0, second: 0, isMissing: false }
  for (; shared.count < names.length && names[shared.count]!.rows === 1; shared.count++) {
    const { pairs, places } = placedHashes(names[shared.count]!, output)
    const place = places[0]!
    if (place < 0) shared.isMissing = true
    else {
      shared.first = combined(shared.first, pairs[2 * place]!)
      shared.second = combined(shared.second, pairs[2 * place + 1]!)
    }
  }
  return shared
}

/** The hash of a cross with one more part. */
function combined(hash: number, part: number): number {
  return mix32(Math.imul(hash, 31) + part)
}

/** The arguments in the form in which rows are combined. */
interface Parts {
  readonly args: readonly Column[]
  readonly names: readonly Names[]
  readonly hashes: readonly PlacedHashes[]
  /** Of the row at hand: where each argument's elements begin, and how many there are. */
  readonly starts: Int32Array
  readonly counts: Int32Array
}

/** Crosses with sequences: for each row all combinations of the elements. */
function crossedSequences(args: readonly Column[], output: Output): Column {
  const names = args.map((arg) => asNames(elementsOf(arg)))
  const parts: Parts = {
    args,
    names,
    hashes: names.map((part) => placedHashes(part, output)),
    starts: output.ints(args.length),
    counts: output.ints(args.length),
  }
  const offsets = output.ints(output.rows + 1)
  let most = 0
  for (let row = 0; row < output.rows; row++) most += enterRow(parts, row)
  const hashes = output.ints(2 * most)
  const positions = output.ints(args.length * most)
  const codes = output.ints(most)
  let length = 0
  for (let row = 0; row < output.rows; row++) {
    offsets[row] = length
    const combinations = enterRow(parts, row)
    for (let which = 0; which < combinations; which++) {
      codes[length] = length
      if (combine(parts, which, length, hashes, positions)) length++
    }
  }
  offsets[output.rows] = length
  const elements = new CrossColumn(codes.subarray(0, length), hashes, positions, names)
  return { kind: 'sequences', rows: output.rows, offsets, elements }
}

/** Finds the elements of each argument in a row. Returns the number of their combinations. */
function enterRow({ args, starts, counts }: Parts, row: number): number {
  let combinations = 1
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    const own = arg.rows === 1 ? 0 : row
    starts[at] = arg.kind === 'sequences' ? arg.offsets[own]! : own
    counts[at] = arg.kind === 'sequences' ? arg.offsets[own + 1]! - starts[at]! : 1
    combinations *= counts[at]!
  }
  return combinations
}

/** Writes the hashes and positions of one combination. Returns whether all of its parts are there. */
function combine(parts: Parts, which: number, to: number, hashes: Int32Array, positions: Int32Array): boolean {
  const { hashes: ofParts, starts, counts } = parts
  const width = ofParts.length
  let rest = which
  let first = 0
  let second = 0
  let isThere = true
  for (let at = 0; at < width; at++) {
    const position = starts[at]! + (rest % counts[at]!)
    rest = Math.floor(rest / counts[at]!)
    positions[to * width + at] = position
    const { pairs, places } = ofParts[at]!
    const place = places[position]!
    if (place < 0) isThere = false
    else {
      first = combined(first, pairs[2 * place]!)
      second = combined(second, pairs[2 * place + 1]!)
    }
  }
  hashes[2 * to] = first
  hashes[2 * to + 1] = second
  return isThere
}

/** A column whose names are put together only if something reads them: most crosses are hashed. */
class CrossColumn {
  readonly kind = 'categories'
  readonly codes: Int32Array
  readonly hashes: Int32Array
  /** Of each part of each code; null: those of the code's own row. */
  readonly #positions: Int32Array | null
  readonly #parts: readonly Names[]
  #names: readonly string[] | null = null

  constructor(codes: Int32Array, hashes: Int32Array, positions: Int32Array | null, parts: readonly Names[]) {
    this.codes = codes
    this.hashes = hashes
    this.#positions = positions
    this.#parts = parts
  }

  get rows(): number {
    return this.codes.length
  }

  get names(): readonly string[] {
    this.#names ??= Array.from(this.codes, (code, at) => (code < 0 ? '' : this.#nameAt(at)))
    return this.#names
  }

  #nameAt(at: number): string {
    const positions = this.#positions
    const width = this.#parts.length
    return this.#parts
      .map((part, which) => {
        const position = positions === null ? (part.rows === 1 ? 0 : at) : positions[at * width + which]!
        return nameOf(part, codesOf(part)[position]!)
      })
      .join(separator)
  }
}
