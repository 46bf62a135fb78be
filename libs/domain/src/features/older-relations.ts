import { hash53 } from '../hash.ts'
import { relationKinds, type Relation, type RelationKind } from './relation-kinds.ts'

/**
 * A user's old requests never to see something again, and their withdrawals: registers by the hash of their
 * subject, about 12 bytes each as stored. A hidden subject is always recognised; a subject that was never hidden is
 * mistaken for hidden with probability n / 9e15 (1e-11 at 100,000).
 */
export interface OlderRelations {
  readonly kind: RelationKind
  /** `hash53` of each id, ascending. */
  readonly hashes: Float64Array
  /** Event time of each register's last change. */
  readonly atMs: Float64Array
  /** 1: in effect, 0: withdrawn. */
  readonly stands: Uint8Array
}

/** The kinds that ask never to see something. Older registers of these kinds are kept by hash. */
export const lastingKinds: readonly RelationKind[] = relationKinds.filter((kind) => !kind.startsWith('follow-'))

/** Whether a kind asks never to see something. */
export function isLasting(kind: RelationKind): boolean {
  return lastingKinds.includes(kind)
}

/** The empty registers of a kind. */
export function noOlder(kind: RelationKind): OlderRelations {
  return { kind, hashes: new Float64Array(0), atMs: new Float64Array(0), stands: new Uint8Array(0) }
}

/** Finds the register of a hash; null: there is none. */
export function findOlder(older: OlderRelations, hash: number): Register | null {
  const row = rowOf(older.hashes, hash)
  return row < 0 ? null : registerAt(older, row)
}

/** Whether the user asked not to see the subject with this id. */
export function standsInOlder(older: OlderRelations | null, id: string): boolean {
  if (older === null) return false
  const row = rowOf(older.hashes, hash53(id))
  return row >= 0 && older.stands[row] === 1
}

/** The hashes of registers in effect, ascending. */
export function standingHashes({ hashes, stands }: OlderRelations): Float64Array {
  return hashes.filter((_, row) => stands[row] === 1)
}

/** The registers of both by `overrides`, which says whether the first overrides the second; drops the oldest beyond `most`. */
export function mergeOlder(
  a: OlderRelations,
  b: OlderRelations,
  most: number,
  overrides: (change: Register, before: Register) => boolean,
): OlderRelations {
  const all = roomFor(a.hashes.length + b.hashes.length)
  let [length, next, row] = [0, 0, 0]
  const put = (from: OlderRelations, at: number): void => {
    all.hashes[length] = from.hashes[at] ?? 0
    all.atMs[length] = from.atMs[at] ?? 0
    all.stands[length++] = from.stands[at] ?? 0
  }
  while (row < a.hashes.length || next < b.hashes.length) {
    const [ofA, ofB] = [a.hashes[row] ?? Number.POSITIVE_INFINITY, b.hashes[next] ?? Number.POSITIVE_INFINITY]
    if (ofA < ofB) put(a, row++)
    else if (ofB < ofA) put(b, next++)
    else {
      if (overrides(registerAt(b, next), registerAt(a, row))) put(b, next)
      else put(a, row)
      row++
      next++
    }
  }
  return newestOf({ kind: a.kind, ...all }, length, most)
}

/** A register without its subject. */
export type Register = Pick<Relation, 'atMs' | 'stands'>

/** The register in a row. */
export function registerAt({ atMs, stands }: OlderRelations, row: number): Register {
  return { atMs: atMs[row] ?? 0, stands: stands[row] === 1 }
}

/** The registers whose hashes are not among `gone`. */
export function withoutOlder(older: OlderRelations, gone: ReadonlySet<number>): OlderRelations {
  return gone.size === 0 ? older : withOlder(older, gone, [], older.hashes.length)
}

function roomFor(room: number): Pick<OlderRelations, 'hashes' | 'atMs' | 'stands'> {
  return { hashes: new Float64Array(room), atMs: new Float64Array(room), stands: new Uint8Array(room) }
}

/** Removes the registers of some hashes and adds others; drops the oldest beyond `most`. */
export function withOlder(
  older: OlderRelations,
  gone: ReadonlySet<number>,
  added: readonly Relation[],
  most: number,
): OlderRelations {
  const incoming = added.map(({ id, atMs, stands }) => ({ hash: hash53(id), atMs, stands: stands ? 1 : 0 }))
  incoming.sort((a, b) => a.hash - b.hash)
  const room = older.hashes.length + incoming.length
  const all = roomFor(room)
  let length = 0
  const put = (hash: number, atMs: number, stands: number): void => {
    all.hashes[length] = hash
    all.atMs[length] = atMs
    all.stands[length++] = stands
  }
  let next = 0
  for (let row = 0; row < older.hashes.length; row++) {
    const hash = older.hashes[row] ?? 0
    for (let one = incoming[next]; one !== undefined && one.hash < hash; one = incoming[++next]) {
      put(one.hash, one.atMs, one.stands)
    }
    if (!gone.has(hash)) put(hash, older.atMs[row] ?? 0, older.stands[row] ?? 0)
  }
  for (; next < incoming.length; next++) {
    const one = incoming[next]
    if (one !== undefined) put(one.hash, one.atMs, one.stands)
  }
  return newestOf({ kind: older.kind, ...all }, length, most)
}

function newestOf({ kind, hashes, atMs, stands }: OlderRelations, length: number, most: number): OlderRelations {
  if (length <= most) {
    return { kind, hashes: hashes.slice(0, length), atMs: atMs.slice(0, length), stands: stands.slice(0, length) }
  }
  const order = Uint32Array.from({ length }, (_, row) => row)
  order.sort((a, b) => (atMs[a] ?? 0) - (atMs[b] ?? 0) || (hashes[a] ?? 0) - (hashes[b] ?? 0))
  const rows = order.subarray(length - most).sort()
  return {
    kind,
    hashes: Float64Array.from(rows, (row) => hashes[row] ?? 0),
    atMs: Float64Array.from(rows, (row) => atMs[row] ?? 0),
    stands: Uint8Array.from(rows, (row) => stands[row] ?? 0),
  }
}

function rowOf(ascending: Float64Array, hash: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = ascending[middle] ?? 0
    if (found === hash) return middle
    if (found < hash) low = middle + 1
    else high = middle - 1
  }
  return -1
}
