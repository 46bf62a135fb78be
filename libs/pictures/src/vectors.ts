import { hash32 } from '@freshet/domain/hash'
import { chooseAll } from './choose.ts'
import { createEmbedder } from './embedding.ts'
import { featuresOf, featureWidths } from './features.ts'
import { isHeldOut } from './held-out.ts'
import { renderPicture, wholePicture } from './render.ts'

/** A picture and the vectors by which it can be compared. */
export interface PictureVectors {
  readonly pinId: string
  /** Equal for pictures of the same thing; null: it is not an emoji. */
  readonly code: string | null
  readonly topic: string
  /** Whether the projection did not learn from it. */
  readonly isHeldOut: boolean
  readonly embedding: Float32Array
  /** Shares of colours alone, a reference. */
  readonly colours: Float32Array
}

/** Draws and embeds one in `every` things in all their styles. Takes about 2 ms a picture. */
export function readPictureVectors(every: number): readonly PictureVectors[] {
  const embed = createEmbedder()
  return [...chooseAll()].flatMap(({ pinId, code, topic, svg }) => {
    if (hash32(code ?? pinId, 3) % every !== 0) return []
    const features = featuresOf(renderPicture(svg, wholePicture))
    const colours = features?.subarray(featureWidths.layout, featureWidths.layout + featureWidths.colours)
    return [
      {
        ...{ pinId, code, topic, isHeldOut: code !== null && isHeldOut(code) },
        embedding: embed(svg, wholePicture),
        colours: colours ?? new Float32Array(featureWidths.colours),
      },
    ]
  })
}
