import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { PinFacts } from '../pin-facts.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { ServedSet } from '../served-set.ts'

/**
 * Of the pins with the same image signature, keeps the first in the order. The home feed also leaves out pins with the
 * picture of a pin that it served within the window, except repeats.
 */
export function samePicture({
  facts,
}: Pick<StagePorts, 'facts'>): Selector<Pick<FeedRequest, 'surface'> & UserContext, CandidateColumns> {
  return {
    kind: 'selector',
    name: 'same-picture',
    policy: 'required',
    reasons: ['same-picture', 'same-picture-served'],
    run: ({ surface, served }, { columns, rows }) => {
      if (facts.counts.signed === 0) return { rows }
      const factRows = facts.rowsOf(columns.keys)
      const before = surface === 'home' ? servedSignatures(facts, served) : new Set<number>()
      const taken = new Set<number>()
      const left = new Map<number, number>()
      // Repeats come last in the feed, so they do not displace pins that the user has not seen.
      for (const repeats of [0, 1]) {
        for (let i = 0; i < rows.length; i++) {
          const row = rows[i] as number
          const signature = signatureOf(facts, factRows[row] as number)
          if (signature === 0 || columns.shownBefore[row] !== repeats) continue
          if (taken.has(signature)) left.set(row, 0)
          else if (repeats === 0 && before.has(signature)) left.set(row, 1)
          else taken.add(signature)
        }
      }
      if (left.size === 0) return { rows }
      return { rows: rows.filter((row) => !left.has(row)), leftFor: (row) => left.get(row) ?? 0 }
    },
  }
}

/** The pictures of the served pins. It looks up each of at most `maxServedPins`, and only if a pin of the catalogue has a signature. */
function servedSignatures(facts: PinFacts, { highs, lows }: ServedSet): Set<number> {
  const signatures = new Set<number>()
  for (let i = 0; i < lows.length; i++)
    signatures.add(signatureOf(facts, facts.rowOf(highs[i] as number, lows[i] as number)))
  return signatures
}

function signatureOf(facts: PinFacts, fact: number): number {
  return fact < 0 ? 0 : facts.signatureOf(fact)
}
