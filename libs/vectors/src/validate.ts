/** Components beyond this could overflow a dot product in 32-bit floats. */
const largestComponent = 1e17

/** Largest row number: rows are 32-bit. */
const largestRow = 2 ** 31 - 1

/** Throws a RangeError that names what is wrong with a vector: its width, NaN, an infinity or a component beyond ±1e17. A zero vector is in order: its score is 0. */
export function checkVector(vector: Float32Array, dimensions: number): void {
  if (vector.length !== dimensions)
    throw new RangeError(`the vector has ${vector.length} dimensions, the index ${dimensions}`)
  for (let i = 0; i < dimensions; i++) {
    const x = vector[i]!
    // Written so that NaN fails too.
    if (!(Math.abs(x) <= largestComponent))
      throw new RangeError(`component ${i} of the vector is ${x}: it must be finite and within ±1e17`)
  }
}

/** Throws a RangeError for a row that is not an integer in [0, 2³¹). */
export function checkRow(row: number): void {
  if (!(Number.isInteger(row) && row >= 0 && row <= largestRow))
    throw new RangeError(`row ${row} is not an integer from 0 to ${largestRow}`)
}

/** Throws a RangeError for a `k` that is not a non-negative integer. */
export function checkK(k: number): void {
  if (!(Number.isInteger(k) && k >= 0)) throw new RangeError(`k must be a non-negative integer, not ${k}`)
}
