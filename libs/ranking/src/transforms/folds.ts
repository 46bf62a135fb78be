import { mulberry32 } from '@freshet/domain/mulberry32'
import type { FittingRows } from './definition.ts'

/** Parts of the training rows for statistics of a label: the value of a row is computed from the other parts. */
export const folds = 5

/** The fold of each row, drawn by the seed. Rows of one group are in one fold. */
export function drawFolds({ rows, groups, seed }: Pick<FittingRows, 'rows' | 'groups' | 'seed'>): Uint8Array {
  const random = mulberry32(seed)
  const draw = (): number => Math.floor(folds * random())
  if (groups === undefined) return Uint8Array.from({ length: rows }, draw)
  const ofGroup = new Map([...new Set(groups)].map((group) => [group, draw()]))
  return Uint8Array.from(groups, (group) => ofGroup.get(group)!)
}
