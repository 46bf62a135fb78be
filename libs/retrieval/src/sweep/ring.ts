import type { Catalogue } from '../views/catalogue.ts'
import { grownInt32, grownUint32, grownUint8, nextCapacity } from '@freshet/columns/growth'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/**
 * Rows in a circle, in the order of their pins' hashes: the same on every instance that knows the same pins, whatever
 * their order of arrival. Adding and removing a row takes constant time on average.
 */
export interface Ring {
  readonly size: number
  has(row: number): boolean
  /** Adds a row; a row that now belongs to another pin moves to its new place. */
  add(row: number): void
  remove(row: number): void
  /**
   * Visits each row once, beginning at the hash `start + from`, with its distance from `start` as a number of 32 bits. Ends
   * early if `visit` returns false; the distance of that row is where to continue.
   */
  walk(start: number, from: number, visit: (row: number, distance: number) => boolean): void
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

const rowsPerBucket = 4
const fewestBits = 8
const mostBits = 30

/** An empty ring over a catalogue's rows. */
export function createRing(catalogue: Pick<Catalogue, 'tieOf' | 'before'>): Ring {
  // A bucket holds the rows whose hashes begin with the same `bits` bits.
  let bits = fewestBits
  let heads = new Int32Array(2 ** bits).fill(-1)
  let nexts = new Int32Array(0)
  let hashes = new Uint32Array(0)
  let member = new Uint8Array(0)
  let size = 0
  const bucket: number[] = []

  const bucketOf = (hash: number): number => hash >>> (32 - bits)

  function link(row: number): void {
    const at = bucketOf(hashes[row]!)
    nexts[row] = heads[at] ?? -1
    heads[at] = row
  }

  function remove(row: number): void {
    if (member[row] !== 1) return
    member[row] = 0
    size--
    const at = bucketOf(hashes[row]!)
    if (heads[at] === row) {
      heads[at] = nexts[row] ?? -1
      return
    }
    let before = heads[at] ?? -1
    while (before >= 0 && nexts[before] !== row) before = nexts[before] ?? -1
    if (before >= 0) nexts[before] = nexts[row] ?? -1
  }

  function grow(): void {
    bits++
    heads = new Int32Array(2 ** bits).fill(-1)
    for (let row = 0; row < member.length; row++) if (member[row] === 1) link(row)
  }

  /** The rows of a bucket in their order, in `bucket`. */
  function open(at: number): void {
    bucket.length = 0
    for (let row = heads[at] ?? -1; row >= 0; row = nexts[row] ?? -1) bucket.push(row)
    if (bucket.length > 1) bucket.sort((a, b) => (catalogue.before(a, b) ? -1 : 1))
  }

  function add(row: number): void {
    const hash = catalogue.tieOf(row)
    if (member[row] === 1) {
      if (hashes[row] === hash) return
      remove(row)
    }
    if (row >= member.length) {
      const capacity = nextCapacity(member.length, row + 1)
      nexts = grownInt32(nexts, capacity)
      hashes = grownUint32(hashes, capacity)
      member = grownUint8(member, capacity)
    }
    hashes[row] = hash
    member[row] = 1
    link(row)
    if (++size > rowsPerBucket * heads.length && bits < mostBits) grow()
  }

  return {
    get size() {
      return size
    },
    has: (row) => member[row] === 1,
    add,
    remove,
    walk(start, from, visit) {
      const buckets = heads.length
      const beginning = (start + from) >>> 0
      const first = bucketOf(beginning)
      // The first bucket comes twice: with what is behind the beginning, and at the end with what is before it.
      for (let n = 0; n <= buckets; n++) {
        open((first + n) & (buckets - 1))
        for (const row of bucket) {
          const hash = hashes[row]!
          if (n === 0 && hash < beginning) continue
          if (n === buckets && hash >= beginning) continue
          if (!visit(row, (hash - start) >>> 0)) return
        }
      }
    },
    bytes: () => heads.byteLength + nexts.byteLength + hashes.byteLength + member.byteLength,
    save: (writer) => writer.u8('members', member),
    load(reader) {
      for (let row = 0; row < member.length; row++) remove(row)
      reader.u8('members').forEach((isMember, row) => {
        if (isMember === 1) add(row)
      })
    },
  }
}
