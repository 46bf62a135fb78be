/** How a masonry is laid out; lengths in CSS pixels. */
export interface Grid {
  readonly columns: number
  readonly columnWidth: number
  readonly gap: number
}

/** Where items are. The tops never decrease, because each item goes to the shortest column. */
export interface Placement {
  readonly grid: Grid
  readonly count: number
  readonly tops: Float64Array
  readonly heights: Float64Array
  readonly columnOf: Uint8Array
  /** The bottoms of the columns, gap included. */
  readonly bottoms: readonly number[]
  readonly tallest: number
}

/** The columns that fit a width: as many as are at least `least` wide, at least two, at most `most`. */
export function gridFor(width: number, least: number, gap: number, most = 8): Grid {
  const columns = Math.max(2, Math.min(most, Math.floor((width + gap) / (least + gap))))
  return { columns, columnWidth: Math.max(0, (width - gap * (columns - 1)) / columns), gap }
}

/** Nothing is placed yet. */
export function emptyPlacement(grid: Grid): Placement {
  return {
    ...{ grid, count: 0, tallest: 0, bottoms: Array.from({ length: grid.columns }, () => 0) },
    ...{ tops: new Float64Array(64), heights: new Float64Array(64), columnOf: new Uint8Array(64) },
  }
}

/** Adds items behind the last one. What is placed stays where it is. */
export function extend(placement: Placement, heights: readonly number[]): Placement {
  const { grid } = placement
  const count = placement.count + heights.length
  const tops = grown(placement.tops, count, placement.count)
  const allHeights = grown(placement.heights, count, placement.count)
  const columnOf = grown(placement.columnOf, count, placement.count)
  const bottoms = [...placement.bottoms]
  let { tallest } = placement
  heights.forEach((height, offset) => {
    const column = shortest(bottoms)
    const at = placement.count + offset
    tops[at] = bottoms[column]!
    allHeights[at] = height
    columnOf[at] = column
    bottoms[column] = tops[at] + height + grid.gap
    tallest = Math.max(tallest, height)
  })
  return { grid, count, tops, heights: allHeights, columnOf, bottoms, tallest }
}

/** Places items from scratch. */
export function place(grid: Grid, heights: readonly number[]): Placement {
  return extend(emptyPlacement(grid), heights)
}

/** The items that reach into the window from `from` to `to`: first, and one past the last. */
export function visibleRange(placement: Placement, from: number, to: number): readonly [number, number] {
  const { tops, count, tallest } = placement
  return [firstAtLeast(tops, count, from - tallest), firstAtLeast(tops, count, to)]
}

/** The first item that begins below `y`; `count`: none. It and all later ones are below. */
export function firstBelow({ tops, count }: Placement, y: number): number {
  return firstAtLeast(tops, count, y)
}

/** The height of all. */
export function heightOf({ bottoms, grid, count }: Placement): number {
  return count === 0 ? 0 : Math.max(...bottoms) - grid.gap
}

/** The left edge of an item. */
export function leftOf({ columnOf, grid }: Placement, at: number): number {
  return columnOf[at]! * (grid.columnWidth + grid.gap)
}

/** The directions in which the focus moves. */
export type Direction = 'left' | 'right' | 'up' | 'down'

/** The item to which the focus moves from another one; the same one at the edge. */
export function neighbour(placement: Placement, at: number, direction: Direction): number {
  const { columnOf, tops, heights, count } = placement
  const column = columnOf[at]!
  if (direction === 'up' || direction === 'down') {
    const step = direction === 'down' ? 1 : -1
    for (let other = at + step; other >= 0 && other < count; other += step) if (columnOf[other] === column) return other
    return at
  }
  const wanted = column + (direction === 'right' ? 1 : -1)
  const middle = tops[at]! + heights[at]! / 2
  let best = at
  let bestDistance = Infinity
  for (let other = 0; other < count; other++) {
    if (columnOf[other] !== wanted) continue
    const distance = Math.abs(tops[other]! + heights[other]! / 2 - middle)
    if (distance < bestDistance) {
      best = other
      bestDistance = distance
    }
  }
  return best
}

function shortest(bottoms: readonly number[]): number {
  let best = 0
  for (let column = 1; column < bottoms.length; column++) if (bottoms[column]! < bottoms[best]!) best = column
  return best
}

function firstAtLeast(tops: Float64Array, count: number, y: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (tops[middle]! < y) low = middle + 1
    else high = middle
  }
  return low
}

/** An array with room for `count` values and the first `kept` of another: its own copy, because an earlier placement may still be drawn. */
function grown<A extends Float64Array | Uint8Array>(array: A, count: number, kept: number): A {
  const length = Math.max(64, array.length < count ? count * 2 : array.length)
  const next = new (array.constructor as new (length: number) => A)(length)
  next.set(array.subarray(0, kept))
  return next
}
