import { mix32 } from '@freshet/domain/hash'

/**
 * The classes of candidates of one kind, such as their creators or topics: `width` keys for each candidate, 32-bit hashes. 0: no
 * class. A candidate without a class meets every rule about this kind.
 */
export interface ClassKeys {
  readonly keys: Uint32Array
  readonly width: number
}

/** The same classes, numbered from 1 in the order of their first candidate; 0: no class. */
export interface Classes {
  readonly ids: Uint16Array
  readonly width: number
  /** One more than the largest number. */
  readonly count: number
  /** The number of a key; 0: no candidate has it. */
  idOf(key: number): number
}

/** Numbers the classes of at most 2¹⁴ keys. */
export function classesOf({ keys, width }: ClassKeys): Classes {
  const slots = 2 << (32 - Math.clz32(Math.max(1, keys.length)))
  const mask = slots - 1
  const slotKeys = new Uint32Array(slots)
  const slotIds = new Uint16Array(slots)
  const ids = new Uint16Array(keys.length)
  let count = 1

  /** The slot of a key, or the free one where it belongs. */
  function slotOf(key: number): number {
    let slot = mix32(key) & mask
    while (slotKeys[slot] !== 0 && slotKeys[slot] !== key) slot = (slot + 1) & mask
    return slot
  }

  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (key === 0) continue
    const slot = slotOf(key)
    if (slotKeys[slot] === 0) {
      slotKeys[slot] = key
      slotIds[slot] = count++
    }
    ids[i] = slotIds[slot]!
  }
  return { ids, width, count, idOf: (key) => (key === 0 ? 0 : slotIds[slotOf(key)]!) }
}

/** Whether a number occurs earlier among the numbers of the same candidate, which end before `at`. */
export function isRepeated(ids: Uint16Array, from: number, at: number): boolean {
  for (let i = from; i < at; i++) if (ids[i] === ids[at]) return true
  return false
}
