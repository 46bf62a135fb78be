import type { VectorHits } from '@freshet/domain/vector-index'
import { block as layout, bytesPerCandidate, createKernel, type Kernel } from './kernel.ts'
import { createRowSlots } from '@freshet/columns/row-slots'

/** Vectors in chains of blocks of 64 rows; a chain is scanned as a whole. A slot is block number × 64 + place in the block. */
export interface VectorStore {
  readonly dimensions: number
  readonly size: number
  readonly kernel: Kernel
  /** Bytes of memory held: vectors, codes, columns and the row map. */
  readonly bytes: number
  /** A new, empty chain; its number is reused after `freeChain`. */
  createChain(): number
  freeChain(chain: number): void
  countOf(chain: number): number
  /** Components per vector with the padding that the kernel works on. */
  readonly paddedWidth: number
  /** The memory as floats; a new view after each growth. */
  floats(): Float32Array
  slotOf(row: number): number
  chainOf(slot: number): number
  rowAt(slot: number): number
  /** Blocks that were ever allocated: slots are below 64 × this. */
  readonly blockCount: number
  /** How many of a block's places are taken. */
  occupied(block: number): number
  /** The vector in a slot, a view that holds until the next call that changes the store. */
  vectorAt(slot: number): Float32Array
  append(chain: number, row: number, vector: Float32Array): void
  /** Throws an Error while a search asks its filter: what a filter changes would be pulled from under the search. */
  assertIdle(): void
  /** Replaces a row's vector. */
  overwrite(slot: number, vector: Float32Array): void
  /** Moves a row to the end of another chain. */
  move(slot: number, chain: number): void
  /** Takes the row out; the chain's last row fills the hole. */
  remove(slot: number): void
  /** Calls `visit` with each slot of a chain, in order. */
  eachSlot(chain: number, visit: (slot: number) => void): void
  /** Writes the query for the next kernel call. */
  setQuery(vector: Float32Array): void
  /**
   * The best `k` of the rows that `read` scans. Throws an Error when a filter searches or changes the store that asks it;
   * what a filter throws passes through.
   */
  search(query: Float32Array, k: number, accept: ((row: number) => boolean) | undefined, read: () => void): VectorHits
  /**
   * Scans a chain for the search under way; `mean` is what deviations of scores are taken from. `due` receives the
   * number of rows read, some thousands at a time; if it returns true the scan breaks off and returns true.
   */
  scan(chain: number, due: (rows: number) => boolean, mean?: number): boolean
  /** Reserves bytes that stay reserved, 16-byte aligned. */
  reserve(bytes: number): number
}

const blocksPerExtent = 16
const pageBytes = 65536

/** Rows read between two looks whether a search is to break off, whole blocks: some ten microseconds of work. */
const rowsPerLook = 4_096

/** Code 64 is zero: a padded dimension adds nothing to a dot product. */
function padded(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 16
}

/** An empty store. Throws a RangeError when `dimensions` is not an integer in [1, 16384]. */
export function createVectorStore(dimensions: number): VectorStore {
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > 16384)
    throw new RangeError(`dimensions must be an integer from 1 to 16384, not ${dimensions}`)
  const width = padded(dimensions)
  const idsAt = layout.codes + layout.rows * width
  const codeBytes = idsAt + layout.rows * 4
  const vectorBytes = layout.rows * width * 4
  let accepts: ((row: number) => boolean) | undefined
  const kernel = createKernel((row) => (accepts!(row) ? 1 : 0))
  const { memory } = kernel
  let floats = new Float32Array(memory.buffer)
  let words = new Int32Array(memory.buffer)
  let top = kernel.firstFree()
  const rows = createRowSlots()

  let addresses = new Uint32Array(64)
  let previous = new Int32Array(64)
  let chainOfBlock = new Int32Array(64)
  let blockCount = 0
  const freeBlocks: number[] = []

  let heads = new Int32Array(64)
  let tails = new Int32Array(64)
  let counts = new Int32Array(64)
  let chainCount = 0
  const freeChains: number[] = []
  let size = 0
  let searching = false

  /** Grows by an eighth where that is allowed: growing is slow, and what is not touched takes no memory. */
  function grow(pages: number): void {
    for (const wish of [Math.max(pages, memory.buffer.byteLength / pageBytes / 8), pages])
      try {
        memory.grow(Math.ceil(wish))
        return
      } catch (cause) {
        if (wish === pages) throw new RangeError(`the vector store is full: it can't grow to ${top} bytes`, { cause })
      }
  }

  function reserve(bytes: number): number {
    const at = top
    const end = Math.ceil((top + bytes) / 16) * 16
    if (end > memory.buffer.byteLength) {
      grow(Math.ceil((end - memory.buffer.byteLength) / pageBytes))
      floats = new Float32Array(memory.buffer)
      words = new Int32Array(memory.buffer)
    }
    top = end
    return at
  }

  const queryAt = reserve(width * 9)
  let capacity = 0
  let outIds = 0
  let outScores = 0

  function ensureScratch(k: number): void {
    // Four times k leaves room to collect before the next weeding; 512 keeps weedings rare for a small k.
    const wantedCapacity = Math.max(512, k * 4)
    if (wantedCapacity <= capacity) return
    const rounded = 2 ** Math.ceil(Math.log2(wantedCapacity))
    const scratch = reserve(rounded * bytesPerCandidate)
    outIds = reserve(rounded * 4)
    outScores = reserve(rounded * 4)
    capacity = rounded
    kernel.layout(width, queryAt, scratch, capacity)
  }
  ensureScratch(100)

  function addExtent(): void {
    const codes = reserve(blocksPerExtent * codeBytes)
    const vectors = reserve(blocksPerExtent * vectorBytes)
    if (blockCount + blocksPerExtent > addresses.length) {
      const grow = addresses.length * 2
      addresses = grown(addresses, grow)
      previous = grown(previous, grow)
      chainOfBlock = grown(chainOfBlock, grow)
    }
    for (let i = blocksPerExtent - 1; i >= 0; i--) {
      const address = codes + i * codeBytes
      addresses[blockCount + i] = address
      words[(address + layout.vectors) >>> 2] = vectors + i * vectorBytes
      chainOfBlock[blockCount + i] = -1
      freeBlocks.push(blockCount + i)
    }
    blockCount += blocksPerExtent
  }

  function extend(chain: number): number {
    if (freeBlocks.length === 0) addExtent()
    const number = freeBlocks.pop()!
    const tail = tails[chain]!
    previous[number] = tail
    chainOfBlock[number] = chain
    words[addresses[number]! >>> 2] = 0
    if (tail < 0) heads[chain] = number
    else words[addresses[tail]! >>> 2] = addresses[number]!
    tails[chain] = number
    return number
  }

  /** The slot that the chain's next row takes. */
  function nextSlot(chain: number): number {
    const place = counts[chain]! % layout.rows
    const number = place === 0 ? extend(chain) : tails[chain]!
    return number * layout.rows + place
  }

  function dropLast(chain: number): void {
    const count = --counts[chain]!
    if (count % layout.rows !== 0) return
    const tail = tails[chain]!
    const before = previous[tail]!
    tails[chain] = before
    if (before < 0) heads[chain] = -1
    else words[addresses[before]! >>> 2] = 0
    chainOfBlock[tail] = -1
    freeBlocks.push(tail)
  }

  const rowAt = (slot: number) => words[((addresses[slot >> 6]! + idsAt) >>> 2) + (slot & 63)]!
  const vectorAddress = (slot: number) =>
    (words[(addresses[slot >> 6]! + layout.vectors) >>> 2]! >>> 2) + (slot & 63) * width

  function write(slot: number, row: number, vector: Float32Array): void {
    const at = vectorAddress(slot)
    floats.set(vector, at)
    floats.fill(0, at + dimensions, at + width)
    kernel.encode(addresses[slot >> 6]!, slot & 63, row)
  }

  function fillHole(slot: number): void {
    const chain = chainOfBlock[slot >> 6]!
    const last = tails[chain]! * layout.rows + ((counts[chain]! - 1) % layout.rows)
    if (last !== slot) {
      kernel.copy(addresses[last >> 6]!, last & 63, addresses[slot >> 6]!, slot & 63)
      rows.set(rowAt(slot), slot)
    }
    dropLast(chain)
  }

  function assertIdle(): void {
    if (searching) throw new Error('a filter may neither search nor change the vector index that asks it')
  }

  function setQuery(vector: Float32Array): void {
    const at = queryAt >>> 2
    floats.set(vector, at)
    floats.fill(0, at + dimensions, at + width)
  }

  return {
    dimensions,
    kernel,
    paddedWidth: width,
    floats: () => floats,
    get size() {
      return size
    },
    get bytes() {
      return top + rows.bytes
    },
    get blockCount() {
      return blockCount
    },
    reserve,
    createChain() {
      const free = freeChains.pop()
      const chain = free ?? chainCount++
      if (chain >= heads.length) {
        heads = grown(heads, chain * 2)
        tails = grown(tails, chain * 2)
        counts = grown(counts, chain * 2)
      }
      heads[chain] = -1
      tails[chain] = -1
      counts[chain] = 0
      return chain
    },
    freeChain(chain) {
      if (counts[chain] !== 0) throw new Error(`chain ${chain} still holds ${counts[chain]} rows`)
      freeChains.push(chain)
    },
    countOf: (chain) => counts[chain]!,
    slotOf: (row) => rows.get(row),
    chainOf: (slot) => chainOfBlock[slot >> 6]!,
    rowAt,
    occupied(number) {
      const chain = chainOfBlock[number]!
      if (chain < 0) return 0
      return tails[chain] === number ? ((counts[chain]! - 1) % layout.rows) + 1 : layout.rows
    },
    vectorAt(slot) {
      const at = vectorAddress(slot)
      return floats.subarray(at, at + dimensions)
    },
    assertIdle,
    append(chain, row, vector) {
      const slot = nextSlot(chain)
      write(slot, row, vector)
      rows.set(row, slot)
      counts[chain]!++
      size++
    },
    overwrite: (slot, vector) => write(slot, rowAt(slot), vector),
    move(slot, chain) {
      const to = nextSlot(chain)
      counts[chain]!++
      kernel.copy(addresses[slot >> 6]!, slot & 63, addresses[to >> 6]!, to & 63)
      rows.set(rowAt(to), to)
      fillHole(slot)
    },
    remove(slot) {
      rows.delete(rowAt(slot))
      fillHole(slot)
      size--
    },
    eachSlot(chain, visit) {
      let left = counts[chain]!
      const numbers: number[] = []
      for (let number = tails[chain]!; number >= 0; number = previous[number]!) numbers.push(number)
      for (let i = numbers.length - 1; i >= 0; i--) {
        const first = numbers[i]! * layout.rows
        const n = Math.min(left, layout.rows)
        for (let place = 0; place < n; place++) visit(first + place)
        left -= n
      }
    },
    setQuery,
    search(query, k, accept, read) {
      assertIdle()
      const wanted = Math.min(k, size)
      if (wanted === 0) return { rows: new Int32Array(0), scores: new Float32Array(0) }
      ensureScratch(wanted)
      setQuery(query)
      searching = true
      accepts = accept
      try {
        kernel.begin(wanted, accept ? 1 : 0)
        read()
        const found = kernel.finish(outIds, outScores)
        return {
          rows: words.slice(outIds >>> 2, (outIds >>> 2) + found),
          scores: floats.slice(outScores >>> 2, (outScores >>> 2) + found),
        }
      } finally {
        searching = false
        accepts = undefined
      }
    },
    scan(chain, due, mean = 0) {
      if (counts[chain]! === 0) return false
      let block = addresses[heads[chain]!]!
      for (let left = counts[chain]!; left > 0; left -= rowsPerLook) {
        const n = Math.min(left, rowsPerLook)
        block = kernel.scan(block, n, mean)
        if (due(n)) return true
      }
      return false
    },
  }
}

function grown<T extends Int32Array | Uint32Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length)
  larger.set(array)
  return larger
}
