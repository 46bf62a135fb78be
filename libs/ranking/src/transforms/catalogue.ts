import type { Transform } from './definition.ts'
import { learnedTransforms } from './learned/catalogue.ts'
import * as registered from './registered.ts'

/** Transforms by the names that a spec calls. */
export type TransformCatalogue = ReadonlyMap<string, Transform>

/** The transforms that ship: those of `registered.ts`, then the learned ones, each by name. */
export const transformCatalogue: TransformCatalogue = new Map(
  [...byName(Object.values(registered)), ...learnedTransforms].map((transform) => [transform.name, transform]),
)

function byName(transforms: readonly Transform[]): readonly Transform[] {
  return [...transforms].sort((a, b) => (a.name < b.name ? -1 : 1))
}
