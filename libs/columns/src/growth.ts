/** A copy of a column with room for `capacity` entries; what is new is zero. */
export function grownInt32(column: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity)
  grown.set(column)
  return grown
}

/** A copy of a column with room for `capacity` entries; what is new is zero. */
export function grownUint32(column: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(capacity)
  grown.set(column)
  return grown
}

/** A copy of a column with room for `capacity` entries; what is new is zero. */
export function grownFloat64(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(capacity)
  grown.set(column)
  return grown
}

/** A copy of a column with room for `capacity` entries; what is new is zero. */
export function grownUint8(column: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(capacity)
  grown.set(column)
  return grown
}

/** The next capacity of a column that must hold `needed` entries: doubles, from at least 1,024. */
export function nextCapacity(current: number, needed: number): number {
  let capacity = Math.max(1024, current)
  while (capacity < needed) capacity *= 2
  return capacity
}
