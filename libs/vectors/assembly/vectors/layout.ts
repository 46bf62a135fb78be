/** Rows in a block; the host allocates whole blocks. */
export const BLOCK_ROWS: i32 = 64
/** Bytes of a cache line. */
export const LINE: usize = 64
export const NEXT: usize = 0
export const VECTORS: usize = 4
export const SCALES: usize = 16
export const CODES: usize = 272

/** Bits of a scale that hold its row's error. */
export const ERROR_BITS: u32 = 0xff
/** A row's error in units of its scale is at most this times the root of the dimensions. */
const LARGEST_ERROR: f64 = 1.25

/** Dimensions whose products are added up in 16 bits before they are widened. */
export const SECTION: i32 = 64

/** Padded dimensions. */
export let width: i32 = 0
/** Where a block's row numbers begin: behind the codes, because a scan reads few of them. */
export let idsAt: usize = 0
/** What one step of a row's error counts in units of its scale. */
export let errorStep: f32 = 0
/** The query in f32. */
export let query: usize = 0
/** Its codes, each group of four dimensions repeated for the four rows that a vector of codes holds. */
export let queryCodes: usize = 0
/** By section, what sums of products start from: i16x8. */
export let offsets: usize = 0

export let uppers: usize = 0
export let lowers: usize = 0
export let addresses: usize = 0
export let ids: usize = 0
export let keys: usize = 0
export let capacity: i32 = 0

/** The first address that the host may use: what lies below is the kernel's own. */
export function firstFree(): usize {
  return __heap_base
}

/**
 * Sets the padded width, where the query may be kept (9 bytes a dimension, the first 4 in f32 from the host), and where
 * `rows` candidates (24 bytes each).
 */
export function layout(paddedWidth: i32, queryAt: usize, scratchAt: usize, rows: i32): void {
  width = paddedWidth
  idsAt = CODES + ((<usize>paddedWidth) << 6)
  errorStep = <f32>((LARGEST_ERROR / 255) * sqrt(<f64>paddedWidth))
  query = queryAt
  const floats = (<usize>paddedWidth) << 2
  queryCodes = queryAt + floats
  offsets = queryCodes + floats
  capacity = rows
  const column = (<usize>rows) << 2
  keys = scratchAt
  uppers = keys + (column << 1)
  lowers = uppers + column
  addresses = lowers + column
  ids = addresses + column
}
