import type { Box } from '../../api/demo.ts'

/** The smallest side of a crop, as a share. */
const leastSide = 0.08

/** The box between two corners, inside the picture and not too small. */
export function boxBetween(a: readonly [number, number], b: readonly [number, number]): Box {
  const left = clamp(Math.min(a[0], b[0]), 0, 1 - leastSide)
  const top = clamp(Math.min(a[1], b[1]), 0, 1 - leastSide)
  const right = clamp(Math.max(a[0], b[0]), left + leastSide, 1)
  const bottom = clamp(Math.max(a[1], b[1]), top + leastSide, 1)
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** Moves a box by shares; it stays inside the picture. */
export function moved(box: Box, dx: number, dy: number): Box {
  return { ...box, x: clamp(box.x + dx, 0, 1 - box.width), y: clamp(box.y + dy, 0, 1 - box.height) }
}

/** Changes the size of a box from its lower right corner; it stays inside the picture. */
export function resized(box: Box, dWidth: number, dHeight: number): Box {
  return {
    ...box,
    width: clamp(box.width + dWidth, leastSide, 1 - box.x),
    height: clamp(box.height + dHeight, leastSide, 1 - box.y),
  }
}

/** A box as words for screen readers. */
export function boxInWords({ x, y, width, height }: Box): string {
  const share = (value: number): string => `${Math.round(value * 100)} %`
  return `from the left ${share(x)}, from the top ${share(y)}, ${share(width)} wide, ${share(height)} high`
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
