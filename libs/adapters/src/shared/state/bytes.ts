/** Appends bytes to a value. */
export function joined(value: Uint8Array | null | undefined, appended: Uint8Array): Uint8Array {
  const length = value?.length ?? 0
  const bytes = new Uint8Array(length + appended.length)
  if (value != null) bytes.set(value)
  bytes.set(appended, length)
  return bytes
}

/** A copy of the last bytes of a value; null: there is none. */
export function lastOf(value: Uint8Array | null | undefined, bytes: number): Uint8Array | null {
  return value == null ? null : new Uint8Array(value.subarray(Math.max(0, value.length - bytes)))
}

/** Appends bytes to a list and keeps the last ones. */
export function lastBytes(list: Uint8Array | undefined, appended: Uint8Array, maxBytes: number): Uint8Array {
  const kept = Math.min(list?.length ?? 0, Math.max(0, maxBytes - appended.length))
  const tail = appended.subarray(Math.max(0, appended.length - maxBytes))
  const bytes = new Uint8Array(kept + tail.length)
  if (list !== undefined && kept > 0) bytes.set(list.subarray(list.length - kept))
  bytes.set(tail, kept)
  return bytes
}

/** A conditional append compares this many bytes at the end of a value, besides its length. */
const comparedBytes = 64

/** Whether a value still has the length and the last bytes that a caller read. No value equals an empty one. */
export function isUnchanged(value: Uint8Array | null | undefined, read: Uint8Array | null): boolean {
  const [now, then] = [value ?? nothing, read ?? nothing]
  return now.length === then.length && Buffer.compare(endOf(now), endOf(then)) === 0
}

/** The bytes at the end of a value that a conditional append compares: a window, not a copy. */
export function endOf(value: Uint8Array): Uint8Array {
  return value.subarray(Math.max(0, value.length - comparedBytes))
}

const nothing = new Uint8Array(0)
