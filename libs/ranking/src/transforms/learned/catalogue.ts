import type { LearnedTransform } from '../definition.ts'
import * as registered from './registered.ts'

/** All learned transforms: those of `registered.ts`, by name. */
export const learnedTransforms: readonly LearnedTransform[] = Object.values(registered).sort((a, b) =>
  a.name < b.name ? -1 : 1,
)

const byName = new Map(learnedTransforms.map((transform) => [transform.name, transform]))

/** The learned transform of a name. */
export function learnedTransform(name: string): LearnedTransform | undefined {
  return byName.get(name)
}
