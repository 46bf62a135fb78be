import type { SourceDefinition, SourceParameters } from './source.ts'
import { boardCoOccurrence } from './sources/board-co-occurrence.ts'
import { coOccurrence } from './sources/co-occurrence.ts'
import { freshFollowed } from './sources/fresh-followed.ts'
import { longTermWalk } from './sources/long-term-walk.ts'
import { pin2vec } from './sources/pin2vec.ts'
import { pixieWalk } from './sources/pixie-walk.ts'
import { popularity } from './sources/popularity.ts'
import { revisit } from './sources/revisit.ts'
import { savedBoards } from './sources/saved-boards.ts'
import { sessionNeighbours } from './sources/session-neighbours.ts'
import { trending } from './sources/trending.ts'
import { visualNeighbours } from './sources/visual-neighbours.ts'

/** Every source there is, in the order in which answers list them. A new source is a file in `sources/` and a line here. */
export const sourceDefinitions: readonly SourceDefinition[] = [
  erased(sessionNeighbours),
  erased(coOccurrence),
  erased(boardCoOccurrence),
  erased(pixieWalk),
  erased(longTermWalk),
  erased(pin2vec),
  erased(visualNeighbours),
  erased(savedBoards),
  erased(freshFollowed),
  erased(trending),
  erased(popularity),
  erased(revisit),
]

// `create` is only ever called with parameters that were resolved against the definition's own defaults.
function erased<P extends SourceParameters>(definition: SourceDefinition<P>): SourceDefinition {
  return definition as unknown as SourceDefinition
}
