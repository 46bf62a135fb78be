import type { Pixels } from './render.ts'

/** Side of the square that a motif is scaled to, in pixels. */
const side = 32
const colourCells = 6
const shapeCells = 4
const orientations = 8
const hues = 12
const greys = 5

/** How many numbers each part of the features has, in order. */
export const featureWidths = {
  /** Coverage and OKLab of each cell of a grid. */
  layout: 4 * colourCells * colourCells,
  /** Shares of hues by chroma, and of lightness of what has little chroma. */
  colours: hues * 2 + greys,
  /** Directions of edges in each cell of a grid: of the drawing and of its outline. */
  shape: 2 * shapeCells * shapeCells * orientations,
} as const

/** The number of features. */
export const featureCount = featureWidths.layout + featureWidths.colours + featureWidths.shape

/**
 * What a picture looks like, in three parts whose sums of squares are 1 each: a layout of colours, shares of colours, and directions of
 * edges (histograms of oriented gradients). The motif is first scaled to fill the square, so that margins do not count. null: nothing is drawn.
 */
export function featuresOf(pixels: Pixels): Float32Array | null {
  const motif = scaledMotif(pixels)
  if (motif === null) return null
  const into = new Float32Array(featureCount)
  const lab = okLabOf(motif)
  let from = 0
  for (const [width, write] of [
    [featureWidths.layout, writeLayout],
    [featureWidths.colours, writeColours],
    [featureWidths.shape, writeShape],
  ] as const) {
    const part = into.subarray(from, from + width)
    write(lab, part)
    normalise(part)
    from += width
  }
  return into
}

/** Planes of `side` × `side` numbers: OKLab times alpha, and alpha. */
interface Planes {
  readonly lightness: Float32Array
  readonly a: Float32Array
  readonly b: Float32Array
  readonly alpha: Float32Array
}

/** The rectangle that something is drawn in, scaled by area to fill a square without distortion; null: nothing is drawn. */
function scaledMotif({ width, height, bytes }: Pixels): Float32Array | null {
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (bytes[4 * (y * width + x) + 3]! > 32) {
        left = Math.min(left, x)
        right = Math.max(right, x)
        top = Math.min(top, y)
        bottom = Math.max(bottom, y)
      }
  if (right < 0) return null
  const [wide, high] = [right - left + 1, bottom - top + 1]
  const step = Math.max(wide, high) / side
  const [startX, startY] = [(left + right + 1) / 2 - (step * side) / 2, (top + bottom + 1) / 2 - (step * side) / 2]
  const into = new Float32Array(side * side * 4)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = 4 * (y * side + x)
      const [x0, x1] = [startX + x * step, startX + (x + 1) * step]
      const [y0, y1] = [startY + y * step, startY + (y + 1) * step]
      for (let row = Math.max(top, Math.floor(y0)); row < Math.min(bottom + 1, y1); row++) {
        const tall = Math.min(y1, row + 1) - Math.max(y0, row)
        for (let column = Math.max(left, Math.floor(x0)); column < Math.min(right + 1, x1); column++) {
          const share = (tall * (Math.min(x1, column + 1) - Math.max(x0, column))) / (step * step * 255)
          const pixel = 4 * (row * width + column)
          into[at]! += share * bytes[pixel]!
          into[at + 1]! += share * bytes[pixel + 1]!
          into[at + 2]! += share * bytes[pixel + 2]!
          into[at + 3]! += share * bytes[pixel + 3]!
        }
      }
    }
  return into
}

/** OKLab (B. Ottosson, 2020) of the colour of each pixel, times its alpha. */
function okLabOf(motif: Float32Array): Planes {
  const [lightness, a, b, alpha] = [0, 1, 2, 3].map(() => new Float32Array(side * side)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  for (let at = 0; at < side * side; at++) {
    const cover = Math.min(1, motif[4 * at + 3]!)
    if (cover < 0.004) continue
    const red = linear[Math.min(255, Math.round((255 * motif[4 * at]!) / cover))]!
    const green = linear[Math.min(255, Math.round((255 * motif[4 * at + 1]!) / cover))]!
    const blue = linear[Math.min(255, Math.round((255 * motif[4 * at + 2]!) / cover))]!
    const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness[at] = cover * (0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s)
    a[at] = cover * (1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s)
    b[at] = cover * (0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s)
    alpha[at] = cover
  }
  return { lightness, a, b, alpha }
}

/** The light of each of the 256 values of a channel of sRGB. */
const linear = Float32Array.from({ length: 256 }, (_, value) =>
  value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
)

/** Chroma counts as much as lightness: it is at most about 0.3. */
const chromaWeight = 3

function writeLayout({ lightness, a, b, alpha }: Planes, into: Float32Array): void {
  const { cells, shares } = layoutGrid
  for (let at = 0; at < side * side; at++) {
    const cover = alpha[at]!
    if (cover === 0) continue
    for (let corner = 4 * at; corner < 4 * at + 4; corner++) {
      const [to, share] = [4 * cells[corner]!, shares[corner]!]
      into[to]! += share * cover
      into[to + 1]! += share * (lightness[at]! - 0.6 * cover) * 2
      into[to + 2]! += share * a[at]! * chromaWeight
      into[to + 3]! += share * b[at]! * chromaWeight
    }
  }
}

/** Square of the weakest gradient that counts as an edge. */
const leastEdge = 0.0004

/** Below this chroma a colour counts as grey. */
const greyChroma = 0.04

function writeColours({ lightness, a, b, alpha }: Planes, into: Float32Array): void {
  for (let at = 0; at < side * side; at++) {
    const cover = alpha[at]!
    if (cover === 0) continue
    const light = lightness[at]! / cover
    const chroma = Math.hypot(a[at]!, b[at]!) / cover
    const coloured = Math.min(1, Math.max(0, (chroma - greyChroma / 2) / greyChroma))
    const hue = ((Math.atan2(b[at]!, a[at]!) / (2 * Math.PI) + 1) % 1) * hues
    const [low, part] = [Math.floor(hue) % hues, hue - Math.floor(hue)]
    const half = light > 0.68 ? hues : 0
    into[half + low]! += cover * coloured * (1 - part)
    into[half + ((low + 1) % hues)]! += cover * coloured * part
    const grey = Math.min(greys - 1, Math.max(0, light * (greys - 1)))
    const under = Math.min(greys - 2, Math.floor(grey))
    into[2 * hues + under]! += cover * (1 - coloured) * (under + 1 - grey)
    into[2 * hues + under + 1]! += cover * (1 - coloured) * (grey - under)
  }
  for (let at = 0; at < into.length; at++) into[at] = Math.sqrt(into[at]!)
}

function writeShape({ lightness, a, b, alpha }: Planes, into: Float32Array): void {
  const half = into.length / 2
  // On white, as it is seen.
  const seen = lightness.map((value, at) => value + 1 - alpha[at]!)
  writeEdges([seen, a, b], into.subarray(0, half))
  writeEdges([alpha], into.subarray(half))
}

/** Directions of the strongest gradient over some planes, without its sign, by cell; each cell by the root of its strength. */
function writeEdges(planes: readonly Float32Array[], into: Float32Array): void {
  const { cells, shares } = shapeGrid
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = y * side + x
      const [before, after] = [x === 0 ? at : at - 1, x === side - 1 ? at : at + 1]
      const [above, below] = [y === 0 ? at : at - side, y === side - 1 ? at : at + side]
      let strength = 0
      let dx = 0
      let dy = 0
      for (const plane of planes) {
        const across = plane[after]! - plane[before]!
        const down = plane[below]! - plane[above]!
        const length = across * across + down * down
        if (length <= strength) continue
        strength = length
        dx = across
        dy = down
      }
      if (strength < leastEdge) continue
      strength = Math.sqrt(strength)
      const angle = ((Math.atan2(dy, dx) / Math.PI + 1) % 1) * orientations
      const low = Math.floor(angle) % orientations
      const next = (low + 1) % orientations
      const part = angle - Math.floor(angle)
      for (let corner = 4 * at; corner < 4 * at + 4; corner++) {
        const [to, share] = [cells[corner]! * orientations, shares[corner]! * strength]
        into[to + low]! += share * (1 - part)
        into[to + next]! += share * part
      }
    }
  for (let at = 0; at < into.length; at++) into[at] = Math.sqrt(into[at]!)
}

/** For which four cells of a grid each pixel counts, and how much: by its distance from their centres. */
interface Grid {
  readonly cells: Uint8Array
  readonly shares: Float32Array
}

function gridOf(cells: number): Grid {
  const grid = { cells: new Uint8Array(4 * side * side), shares: new Float32Array(4 * side * side) }
  const along = (at: number): readonly (readonly [cell: number, share: number])[] => {
    const place = ((at + 0.5) / side) * cells - 0.5
    const low = Math.floor(place)
    return [
      [low, low + 1 - place],
      [low + 1, place - low],
    ]
  }
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let corner = 4 * (y * side + x)
      for (const [row, tall] of along(y))
        for (const [column, wide] of along(x)) {
          const isWithin = row >= 0 && row < cells && column >= 0 && column < cells
          grid.cells[corner] = isWithin ? row * cells + column : 0
          grid.shares[corner++] = isWithin ? tall * wide : 0
        }
    }
  return grid
}

const layoutGrid = gridOf(colourCells)
const shapeGrid = gridOf(shapeCells)

function normalise(part: Float32Array): void {
  let squares = 0
  for (let at = 0; at < part.length; at++) squares += part[at]! ** 2
  if (squares === 0) return
  const scale = 1 / Math.sqrt(squares)
  for (let at = 0; at < part.length; at++) part[at]! *= scale
}
