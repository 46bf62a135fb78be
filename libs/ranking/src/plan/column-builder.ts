import type { Column } from './column.ts'
import type { ElementType, ValueType } from './value-type.ts'

/** Makes a column from values of JSON, one row after the other. */
export interface ColumnBuilder {
  /** Adds a row; undefined and null: missing. Returns why the value is not of the column's type; null: it is added. */
  add(value: unknown): string | null
  /** Removes the rows from `rows` on. */
  truncate(rows: number): void
  /** The column; the builder must not be used after that. */
  finish(): Column
}

type Values = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>

/** Numbers that grow by doubling. */
class GrowingValues<Kind extends Values> {
  readonly #create: (length: number) => Kind
  #values: Kind
  length = 0

  constructor(create: (length: number) => Kind) {
    this.#create = create
    this.#values = create(1_024)
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = this.#create(2 * this.length)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  last(): number {
    return this.#values[this.length - 1]!
  }

  at(index: number): number {
    return this.#values[index]!
  }

  finish(): Kind {
    return this.#values.slice(0, this.length) as Kind
  }
}

/** The builder of a type; `isTime`: its numbers have 64 bits. */
export function columnBuilder(type: ValueType, isTime: boolean): ColumnBuilder {
  return type.kind === 'sequence'
    ? new SequenceBuilder(elementBuilder(type.of, isTime), type.max)
    : elementBuilder(type, isTime)
}

/** A builder of a column that is not one of sequences. */
interface ElementBuilder extends ColumnBuilder {
  finish(): Exclude<Column, { readonly kind: 'sequences' }>
}

function elementBuilder(type: ElementType, isTime: boolean): ElementBuilder {
  switch (type.kind) {
    case 'category':
      return new CategoryBuilder()
    case 'scalar':
      return new NumberBuilder(1, isTime)
    case 'vector':
      return new NumberBuilder(type.size, isTime)
    case 'index':
      throw new TypeError('an input cannot be an index')
  }
}

class NumberBuilder implements ElementBuilder {
  readonly #width: number
  readonly #values: GrowingValues<Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>

  constructor(width: number, isTime: boolean) {
    this.#width = width
    this.#values = new GrowingValues<Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>((length) =>
      isTime ? new Float64Array(length) : new Float32Array(length),
    )
  }

  add(value: unknown): string | null {
    if (value === undefined || value === null) {
      for (let at = 0; at < this.#width; at++) this.#values.push(NaN)
      return null
    }
    if (this.#width === 1 && !Array.isArray(value)) return this.#addNumber(value)
    if (!Array.isArray(value)) return 'is not a list of numbers'
    if (value.length !== this.#width) return `is not a list of ${this.#width} numbers`
    for (const part of value) {
      const problem = part === null ? this.#addMissing() : this.#addNumber(part)
      if (problem !== null) return 'has an element that ' + problem
    }
    return null
  }

  #addMissing(): null {
    this.#values.push(NaN)
    return null
  }

  #addNumber(value: unknown): string | null {
    if (typeof value !== 'number') return 'is not a number'
    if (!(Math.abs(value) <= 3.4e38)) return 'is not a finite 32-bit number'
    this.#values.push(value)
    return null
  }

  truncate(rows: number): void {
    this.#values.length = rows * this.#width
  }

  finish(): ReturnType<ElementBuilder['finish']> {
    const values = this.#values.finish()
    return { kind: 'numbers', rows: values.length / this.#width, width: this.#width, values }
  }
}

class CategoryBuilder implements ElementBuilder {
  readonly #codes = new GrowingValues((length) => new Int32Array(length))
  readonly #codeOf = new Map<string, number>()

  add(value: unknown): string | null {
    if (value === undefined || value === null) {
      this.#codes.push(-1)
      return null
    }
    if (typeof value !== 'string') return 'is not a text'
    let code = this.#codeOf.get(value)
    if (code === undefined) {
      code = this.#codeOf.size
      this.#codeOf.set(value, code)
    }
    this.#codes.push(code)
    return null
  }

  truncate(rows: number): void {
    this.#codes.length = rows
  }

  finish(): ReturnType<ElementBuilder['finish']> {
    const codes = this.#codes.finish()
    return { kind: 'categories', rows: codes.length, codes, names: [...this.#codeOf.keys()] }
  }
}

class SequenceBuilder implements ColumnBuilder {
  readonly #elements: ElementBuilder
  readonly #max: number
  readonly #offsets = new GrowingValues((length) => new Int32Array(length))

  constructor(elements: ElementBuilder, max: number) {
    this.#elements = elements
    this.#max = max
    this.#offsets.push(0)
  }

  add(value: unknown): string | null {
    if (value !== undefined && value !== null && !Array.isArray(value)) return 'is not a list'
    // The newest come first, so what is cut off is the oldest.
    const elements = (value ?? []) as readonly unknown[]
    const kept = Math.min(elements.length, this.#max)
    for (let at = 0; at < kept; at++) {
      const problem = this.#elements.add(elements[at])
      if (problem !== null) return `has an element that ${problem}`
    }
    this.#offsets.push(this.#offsets.last() + kept)
    return null
  }

  truncate(rows: number): void {
    this.#offsets.length = rows + 1
    this.#elements.truncate(this.#offsets.at(rows))
  }

  finish(): Column {
    const offsets = this.#offsets.finish()
    return { kind: 'sequences', rows: offsets.length - 1, offsets, elements: this.#elements.finish() }
  }
}
