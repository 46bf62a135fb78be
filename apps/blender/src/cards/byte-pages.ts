/** Byte strings by row number, in large pages outside of the heap. */
export interface BytePages {
  /** Stores a copy. false: there is no room, and the row has no bytes any more. */
  set(row: number, bytes: Uint8Array): boolean
  delete(row: number): void
  /** A view that is valid until the next change; null: the row has none. */
  get(row: number): Uint8Array | null
  /** Bytes of all pages and of the index. */
  bytes(): number
}

/** Each entry begins with its row and its length, so that a page can be read from its start. */
const headerBytes = 8
const none = -1

interface Page {
  readonly bytes: Buffer
  used: number
  /** Bytes of entries that were replaced or deleted. */
  dead: number
}

/**
 * Appends entries to the last page. When half of a page is dead, its living entries move to the last page and the page is used
 * again: so the pages hold at most about twice the living bytes, however often rows change. An entry must fit a page.
 */
export function createBytePages({
  maxBytes,
  pageBytes = 1 << 20,
}: {
  readonly maxBytes: number
  readonly pageBytes?: number
}): BytePages {
  const pages: (Page | null)[] = []
  const empty: Page[] = []
  let open = none
  let allocated = 0
  let pageOf = new Int32Array(1024).fill(none)
  let offsets = new Uint32Array(1024)

  function reserve(row: number): void {
    if (row < pageOf.length) return
    const length = Math.max(2 * pageOf.length, row + 1)
    const [oldPages, oldOffsets] = [pageOf, offsets]
    pageOf = new Int32Array(length).fill(none)
    pageOf.set(oldPages)
    offsets = new Uint32Array(length)
    offsets.set(oldOffsets)
  }

  /** Opens an empty page; false: there is no room for one. */
  function openPage(): boolean {
    const page = empty.pop() ?? allocate()
    if (page === null) return false
    const free = pages.indexOf(null)
    open = free === none ? pages.length : free
    pages[open] = page
    return true
  }

  function allocate(): Page | null {
    if (allocated + pageBytes > maxBytes) return null
    allocated += pageBytes
    return { bytes: Buffer.allocUnsafeSlow(pageBytes), used: 0, dead: 0 }
  }

  function append(row: number, bytes: Uint8Array): boolean {
    const needed = headerBytes + bytes.byteLength
    if (needed > pageBytes) return false
    const current = pages[open]
    if ((current == null || current.used + needed > pageBytes) && !openPage()) return false
    const page = pages[open]!
    page.bytes.writeUInt32LE(row, page.used)
    page.bytes.writeUInt32LE(bytes.byteLength, page.used + 4)
    page.bytes.set(bytes, page.used + headerBytes)
    reserve(row)
    pageOf[row] = open
    offsets[row] = page.used
    page.used += needed
    return true
  }

  function drop(row: number): void {
    const at = pageOf[row] ?? none
    if (at === none) return
    const page = pages[at]!
    page.dead += headerBytes + page.bytes.readUInt32LE(offsets[row]! + 4)
    pageOf[row] = none
    if (at !== open && 2 * page.dead >= page.used) empties(at)
  }

  /** Moves the living entries of a page to the open page. The empty page is free before that, so they find room even if all others are full. */
  function empties(at: number): void {
    const page = pages[at]!
    const living = livingIn(page, at)
    pages[at] = null
    page.used = 0
    page.dead = 0
    empty.push(page)
    for (const [row, bytes] of living) append(row, bytes)
  }

  /** Copies of the entries of a page that still count. */
  function livingIn({ bytes, used }: Page, at: number): [row: number, bytes: Uint8Array][] {
    const living: [number, Uint8Array][] = []
    for (let offset = 0; offset < used;) {
      const row = bytes.readUInt32LE(offset)
      const start = offset + headerBytes
      const end = start + bytes.readUInt32LE(offset + 4)
      if (pageOf[row] === at && offsets[row] === offset) living.push([row, Uint8Array.from(bytes.subarray(start, end))])
      offset = end
    }
    return living
  }

  return {
    set(row, bytes) {
      drop(row)
      return append(row, bytes)
    },
    delete: drop,
    get(row) {
      const at = pageOf[row] ?? none
      if (at === none) return null
      const page = pages[at]!
      const start = offsets[row]! + headerBytes
      return page.bytes.subarray(start, start + page.bytes.readUInt32LE(offsets[row]! + 4))
    },
    bytes: () => allocated + pageOf.byteLength + offsets.byteLength,
  }
}
