import type { Random } from './random.ts'

/** A number from Beta(a, b), a and b above 0. */
export function drawBeta(a: number, b: number, random: Random): number {
  const x = drawGamma(a, random)
  const y = drawGamma(b, random)
  // With tiny parameters both may be 0; then the draw is at one of the ends.
  return x + y > 0 ? x / (x + y) : random() < a / (a + b) ? 1 : 0
}

/** A number from the gamma distribution of scale 1 (Marsaglia and Tsang, 2000). */
function drawGamma(shape: number, random: Random): number {
  if (shape < 1) return drawGamma(shape + 1, random) * (1 - random()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const cubed = (1 + c * normal) ** 3
    if (cubed > 0 && Math.log(1 - random()) < normal ** 2 / 2 + d - d * cubed + d * Math.log(cubed)) return d * cubed
  }
}
