/** Larger score, then smaller row, gives the smaller key. */
export function keyOf(score: f32, id: i32): u64 {
  const bits = reinterpret<i32>(score + <f32>0)
  const ordered = bits ^ ((bits >> 31) & 0x7fffffff)
  return ((<u64>(<u32>(ordered ^ 0x7fffffff))) << 32) | (<u64>(<u32>id))
}

/** The score of a key. */
export function scoreOf(key: u64): f32 {
  const ordered = (<i32>(<u32>(key >> 32))) ^ 0x7fffffff
  return reinterpret<f32>(ordered ^ ((ordered >> 31) & 0x7fffffff))
}

/** The k-th largest of n floats, which it reorders. */
export function selectLargest(at: usize, n: i32, k: i32): f32 {
  let left = 0
  let right = n - 1
  const target = k - 1
  while (left < right) {
    const a = load<f32>(at + ((<usize>left) << 2))
    const b = load<f32>(at + ((<usize>((left + right) >> 1)) << 2))
    const c = load<f32>(at + ((<usize>right) << 2))
    const pivot = max(min(a, b), min(max(a, b), c))
    let i = left
    let j = right
    while (i <= j) {
      while (load<f32>(at + ((<usize>i) << 2)) > pivot) i++
      while (load<f32>(at + ((<usize>j) << 2)) < pivot) j--
      if (i <= j) {
        const p = at + ((<usize>i) << 2)
        const q = at + ((<usize>j) << 2)
        const swap = load<f32>(p)
        store<f32>(p, load<f32>(q))
        store<f32>(q, swap)
        i++
        j--
      }
    }
    if (target <= j) right = j
    else if (target >= i) left = i
    else break
  }
  return load<f32>(at + ((<usize>target) << 2))
}

/** The k-th smallest of n keys, which it reorders. */
export function selectSmallest(at: usize, n: i32, k: i32): u64 {
  let left = 0
  let right = n - 1
  const target = k - 1
  while (left < right) {
    const a = load<u64>(at + ((<usize>left) << 3))
    const b = load<u64>(at + ((<usize>((left + right) >> 1)) << 3))
    const c = load<u64>(at + ((<usize>right) << 3))
    const pivot = max(min(a, b), min(max(a, b), c))
    let i = left
    let j = right
    while (i <= j) {
      while (load<u64>(at + ((<usize>i) << 3)) < pivot) i++
      while (load<u64>(at + ((<usize>j) << 3)) > pivot) j--
      if (i <= j) {
        const p = at + ((<usize>i) << 3)
        const q = at + ((<usize>j) << 3)
        const swap = load<u64>(p)
        store<u64>(p, load<u64>(q))
        store<u64>(q, swap)
        i++
        j--
      }
    }
    if (target <= j) right = j
    else if (target >= i) left = i
    else break
  }
  return load<u64>(at + ((<usize>target) << 3))
}

/** Heapsort, ascending: bounded time on any input and no stack. */
export function sort(at: usize, n: i32): void {
  for (let i = (n >> 1) - 1; i >= 0; i--) sift(at, i, n)
  for (let end = n - 1; end > 0; end--) {
    const last = at + ((<usize>end) << 3)
    const top = load<u64>(at)
    store<u64>(at, load<u64>(last))
    store<u64>(last, top)
    sift(at, 0, end)
  }
}

function sift(at: usize, from: i32, n: i32): void {
  const value = load<u64>(at + ((<usize>from) << 3))
  let hole = from
  for (;;) {
    let child = (hole << 1) + 1
    if (child >= n) break
    if (child + 1 < n && load<u64>(at + ((<usize>(child + 1)) << 3)) > load<u64>(at + ((<usize>child) << 3))) child++
    const larger = load<u64>(at + ((<usize>child) << 3))
    if (larger <= value) break
    store<u64>(at + ((<usize>hole) << 3), larger)
    hole = child
  }
  store<u64>(at + ((<usize>hole) << 3), value)
}
