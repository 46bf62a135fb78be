/**
 * The hot loops of a model that serves: dense layers of 32-bit floats, over one linear memory that the host lays out.
 *
 * Rows of a matrix are `stride` bytes apart; their number is a multiple of 6. Weights are packed in panels of 8 columns: 8
 * biases, then 8 weights for each input. Columns of the last panel that are not in use are zeros, and the results have room
 * for them. The same instructions in the same order compute every row, so no bit of a row depends on the other rows.
 */

/** Columns of a panel × 4 bytes. */
const PANEL_BYTES: usize = 32

/** out = x·W + b, or max(0, x·W + b) if `relu` is 1. Six rows and eight columns at a time stay in registers. */
export function dense(
  x: usize,
  xStride: usize,
  inputs: usize,
  weights: usize,
  panels: usize,
  relu: i32,
  out: usize,
  outStride: usize,
  rows: usize,
): void {
  const panelBytes = (inputs + 1) * PANEL_BYTES
  const floor = f32x4.splat(relu === 1 ? 0 : -Infinity)
  for (let panel: usize = 0; panel < panels; panel++) {
    const first = weights + panel * panelBytes
    const end = first + panelBytes
    let from = x
    let to = out + panel * PANEL_BYTES
    for (let row: usize = 0; row < rows; row += 6) {
      let left = v128.load(first)
      let right = v128.load(first, 16)
      let left0 = left
      let right0 = right
      let left1 = left
      let right1 = right
      let left2 = left
      let right2 = right
      let left3 = left
      let right3 = right
      let left4 = left
      let right4 = right
      let left5 = left
      let right5 = right
      let at0 = from
      let at1 = at0 + xStride
      let at2 = at1 + xStride
      let at3 = at2 + xStride
      let at4 = at3 + xStride
      let at5 = at4 + xStride
      for (let w = first + PANEL_BYTES; w < end; w += PANEL_BYTES) {
        left = v128.load(w)
        right = v128.load(w, 16)
        const x0 = v128.load32_splat(at0)
        left0 = f32x4.relaxed_madd(x0, left, left0)
        right0 = f32x4.relaxed_madd(x0, right, right0)
        at0 += 4
        const x1 = v128.load32_splat(at1)
        left1 = f32x4.relaxed_madd(x1, left, left1)
        right1 = f32x4.relaxed_madd(x1, right, right1)
        at1 += 4
        const x2 = v128.load32_splat(at2)
        left2 = f32x4.relaxed_madd(x2, left, left2)
        right2 = f32x4.relaxed_madd(x2, right, right2)
        at2 += 4
        const x3 = v128.load32_splat(at3)
        left3 = f32x4.relaxed_madd(x3, left, left3)
        right3 = f32x4.relaxed_madd(x3, right, right3)
        at3 += 4
        const x4 = v128.load32_splat(at4)
        left4 = f32x4.relaxed_madd(x4, left, left4)
        right4 = f32x4.relaxed_madd(x4, right, right4)
        at4 += 4
        const x5 = v128.load32_splat(at5)
        left5 = f32x4.relaxed_madd(x5, left, left5)
        right5 = f32x4.relaxed_madd(x5, right, right5)
        at5 += 4
      }
      store(to, left0, right0, floor)
      to += outStride
      store(to, left1, right1, floor)
      to += outStride
      store(to, left2, right2, floor)
      to += outStride
      store(to, left3, right3, floor)
      to += outStride
      store(to, left4, right4, floor)
      to += outStride
      store(to, left5, right5, floor)
      to += outStride
      from += 6 * xStride
    }
  }
}

function store(to: usize, left: v128, right: v128, floor: v128): void {
  v128.store(to, f32x4.max(left, floor))
  v128.store(to, f32x4.max(right, floor), 16)
}

/** out = a ⊙ b + c for `count` floats, a multiple of 8. */
export function multiplyAdd(a: usize, b: usize, c: usize, out: usize, count: usize): void {
  for (let at: usize = 0; at < count << 2; at += 16)
    v128.store(out + at, f32x4.relaxed_madd(v128.load(a + at), v128.load(b + at), v128.load(c + at)))
}

/** out = a + b for `count` floats, a multiple of 8. */
export function add(a: usize, b: usize, out: usize, count: usize): void {
  for (let at: usize = 0; at < count << 2; at += 16)
    v128.store(out + at, f32x4.add(v128.load(a + at), v128.load(b + at)))
}

/** Copies `bytes` of each row into rows that may be longer. */
export function copyRows(from: usize, fromStride: usize, to: usize, toStride: usize, bytes: usize, rows: usize): void {
  for (let row: usize = 0; row < rows; row++) memory.copy(to + row * toStride, from + row * fromStride, bytes)
}

/** For each row the sum of the `size` floats that each of its `hashes` indices chooses in a table; −1 chooses none. */
export function sumOfRows(
  table: usize,
  size: usize,
  indices: usize,
  hashes: usize,
  out: usize,
  outStride: usize,
  rows: usize,
): void {
  for (let row: usize = 0; row < rows; row++) {
    const to = out + row * outStride
    memory.fill(to, 0, size << 2)
    for (let which: usize = 0; which < hashes; which++) {
      const index = load<i32>(indices + ((row * hashes + which) << 2))
      if (index < 0) continue
      const from = table + ((<usize>index * size) << 2)
      for (let at: usize = 0; at < size << 2; at += 4) f32.store(to + at, f32.load(to + at) + f32.load(from + at))
    }
  }
}

/** Replaces numbers that are not finite by 0, `count` of them, a multiple of 4. */
export function zeroMissing(at: usize, count: usize): void {
  const end = at + (count << 2)
  for (; at < end; at += 16) {
    const x = v128.load(at)
    // x − x is 0 for a finite number, and not a number for the others.
    v128.store(at, v128.and(x, f32x4.eq(f32x4.sub(x, x), f32x4.splat(0))))
  }
}
