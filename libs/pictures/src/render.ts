import { Resvg } from '@resvg/resvg-js'

/** A part of a picture in shares of its width and height, 0 to 1, from its left upper corner. */
export interface PictureBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The whole picture. */
export const wholePicture: PictureBox = { x: 0, y: 0, width: 1, height: 1 }

/** Pixels row by row, four bytes each: red, green and blue times alpha, and alpha. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly bytes: Uint8Array
}

/** Sides in pixels that pictures are drawn with. */
const renderSizes = [64, 128, 256, 512] as const

/**
 * Draws a part of a picture so that its longer side has 64 pixels or more, up to 127; smaller than an eighth of the picture, fewer.
 * Equal arguments give equal bytes. Takes 0.1 to 1 ms for a whole picture. It draws the whole and cuts: the renderer ends the process
 * when a drawing lies outside of its frame.
 */
export function renderPicture(svg: string, box: PictureBox): Pixels {
  const longer = Math.max(box.width, box.height)
  const size = renderSizes.find((side) => side * longer >= renderSizes[0]) ?? renderSizes.at(-1)!
  const image = new Resvg(svg, { fitTo: { mode: 'width', value: size }, font: { loadSystemFonts: false } }).render()
  return cut({ width: image.width, height: image.height, bytes: image.pixels }, box)
}

function cut(pixels: Pixels, box: PictureBox): Pixels {
  const [left, right] = spanOf(box.x, box.width, pixels.width)
  const [top, bottom] = spanOf(box.y, box.height, pixels.height)
  const [width, height] = [right - left, bottom - top]
  if (width === pixels.width && height === pixels.height) return pixels
  const bytes = new Uint8Array(4 * width * height)
  for (let row = 0; row < height; row++) {
    const from = 4 * ((top + row) * pixels.width + left)
    bytes.set(pixels.bytes.subarray(from, from + 4 * width), 4 * row * width)
  }
  return { width, height, bytes }
}

/** At least one pixel, all inside of the picture. */
function spanOf(start: number, length: number, pixels: number): readonly [from: number, to: number] {
  const from = Math.min(pixels - 1, Math.max(0, Math.round(start * pixels)))
  return [from, Math.min(pixels, Math.max(from + 1, Math.round((start + length) * pixels)))]
}
