import type { SourceDefinition } from './source.ts'
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

/** All sources, in the order in which answers list them. To add one, add a file to `sources/` and a line here. */
export const sourceDefinitions: readonly SourceDefinition[] = [
  sessionNeighbours,
  coOccurrence,
  boardCoOccurrence,
  pixieWalk,
  longTermWalk,
  pin2vec,
  visualNeighbours,
  savedBoards,
  freshFollowed,
  trending,
  popularity,
  revisit,
]
