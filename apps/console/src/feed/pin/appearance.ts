/** The look of a pin's card: the shape of its picture and its tint, the same on every visit. */
export interface Appearance {
  /** Width divided by height. */
  readonly aspect: number
  /** Degrees on the wheel of OKLCH. */
  readonly hue: number
  /** Which of the tint's strengths, 0–2. */
  readonly depth: number
  /** Share of the card's shorter side that the picture takes. */
  readonly scale: number
}

/** Shapes, as home feeds mix them: mostly upright. */
const aspects = [1, 0.9, 0.8, 0.75, 0.68, 0.62, 1.15] as const

/** The appearance of a pin, by its id. */
export function appearanceOf(pinId: string): Appearance {
  const hash = hashOf(pinId)
  return {
    aspect: aspects[hash % aspects.length]!,
    hue: (hash >>> 4) % 360,
    depth: (hash >>> 14) % 3,
    scale: 0.7 + ((hash >>> 18) % 14) / 100,
  }
}

/** A hash of 32 bits (FNV-1a with a final mix). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
