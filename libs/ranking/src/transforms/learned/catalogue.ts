import type { LearnedTransform } from '../definition.ts'
import { attend } from './attend.ts'
import { bilinear } from './bilinear.ts'
import { dcnV2 } from './dcn-v2.ts'
import { embedding } from './embedding.ts'
import { fm } from './fm.ts'
import { gate } from './gate.ts'
import { linear } from './linear.ts'
import { mlp } from './mlp.ts'

/** All learned transforms. To add one, write its file in this folder and register it here. */
export const learnedTransforms: readonly LearnedTransform[] = [
  embedding,
  linear,
  mlp,
  dcnV2,
  fm,
  bilinear,
  attend,
  gate,
]

const byName = new Map(learnedTransforms.map((transform) => [transform.name, transform]))

/** The learned transform of a name. */
export function learnedTransform(name: string): LearnedTransform | undefined {
  return byName.get(name)
}
