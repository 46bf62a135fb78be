import { hash32 } from '@freshet/domain/hash'
import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { ScoreColumns } from '../scorers/rank.ts'

/** Best first, and then what comes again, longest ago first; of equal utility by a seeded hash of the pin id, so that the order is total and depends on nothing else. */
export function byUtility(seed: number): Selector<object, CandidateColumns & ScoreColumns> {
  return {
    kind: 'selector',
    name: 'by-utility',
    policy: 'required',
    run: (_request, { columns: { utilities, pinIds, shownBefore }, rows }) => {
      const tie = (row: number) => hash32(pinIds[row] as string, seed)
      return rows.slice().sort((a, b) => {
        const again = (shownBefore[a] as number) - (shownBefore[b] as number)
        if (again !== 0 || shownBefore[a] === 1) return again || a - b
        return (utilities[b] as number) - (utilities[a] as number) || tie(a) - tie(b) || a - b
      })
    },
  }
}
