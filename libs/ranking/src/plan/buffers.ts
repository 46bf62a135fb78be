import type { Output } from '../transforms/definition.ts'

/** Buffers of one node that every evaluation uses again. They grow to the most rows seen, and no further. */
export class ReusedBuffers implements Output {
  rows = 0
  readonly #floats = new Pool((length) => new Float32Array(length))
  readonly #doubles = new Pool((length) => new Float64Array(length))
  readonly #ints = new Pool((length) => new Int32Array(length))

  /** Begins an evaluation: the arrays of the previous one may be overwritten. */
  begin(rows: number): void {
    this.rows = rows
    this.#floats.begin()
    this.#doubles.begin()
    this.#ints.begin()
  }

  floats(length: number): Float32Array<ArrayBuffer> {
    return this.#floats.take(length)
  }

  doubles(length: number): Float64Array<ArrayBuffer> {
    return this.#doubles.take(length)
  }

  ints(length: number): Int32Array<ArrayBuffer> {
    return this.#ints.take(length)
  }
}

/** Gives a new array each time, for columns that are kept. */
export class NewBuffers implements Output {
  readonly rows: number

  constructor(rows: number) {
    this.rows = rows
  }

  floats(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(length)
  }

  doubles(length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(length)
  }

  ints(length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(length)
  }
}

interface Numbers<Self> {
  readonly length: number
  subarray(from: number, to: number): Self
}

/** Arrays by the order in which an evaluation takes them, which is the same each time. */
class Pool<Values extends Numbers<Values>> {
  readonly #create: (length: number) => Values
  readonly #whole: Values[] = []
  /** The part of each array that was taken last: most pages have as many rows as the page before. */
  readonly #taken: Values[] = []
  #next = 0

  constructor(create: (length: number) => Values) {
    this.#create = create
  }

  begin(): void {
    this.#next = 0
  }

  take(length: number): Values {
    const at = this.#next++
    const taken = this.#taken[at]
    if (taken?.length === length) return taken
    let whole = this.#whole[at]
    if (whole === undefined || whole.length < length) {
      whole = this.#create(length)
      this.#whole[at] = whole
    }
    return (this.#taken[at] = whole.subarray(0, length))
  }
}
