import type { Line } from './draws.ts'
import { boardsLines } from './shape-boards.ts'
import { newsLines } from './shape-news.ts'
import { repeatsLines } from './shape-repeats.ts'
import { linesOfShape, tasteShapes } from './shape-tastes.ts'

/** An invented data set. */
export interface InventedSet {
  readonly repeats: 'allow' | 'forbid'
  /** Its recording: the same lines every time. */
  lines(): Generator<Line>
}

/** All invented sets by name. Their shapes differ from the public ones, to see that one set of defaults holds. */
export const inventedSets: Readonly<Record<string, InventedSet>> = {
  repeats: { repeats: 'allow', lines: repeatsLines },
  'boards to complete': { repeats: 'forbid', lines: boardsLines },
  'news within the hour': { repeats: 'allow', lines: newsLines },
  ...Object.fromEntries(
    Object.entries(tasteShapes).map(([name, shape]) => [
      name,
      { repeats: shape.repeats, lines: () => linesOfShape(shape) },
    ]),
  ),
}
