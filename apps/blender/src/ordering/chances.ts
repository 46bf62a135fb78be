import { float32Column } from '@freshet/contracts/bytes/columns'
import type { Ranked } from '../scorers/ask-ranker.ts'

/** Which probability is asked for, and what stands for one that the ranker did not predict. */
export interface WantedChance {
  readonly action: string
  readonly otherwise: number
}

/** For each of some rows the probability of an action, as the ranker predicts it. */
export function chancesOf(rows: Int32Array, ranked: Ranked | null, { action, otherwise }: WantedChance): Float32Array {
  const column = ranked === null ? -1 : ranked.response.actions.indexOf(action)
  if (ranked === null || column < 0) return new Float32Array(rows.length).fill(otherwise)
  const { probabilities, utilities } = ranked.response
  const chances = float32Column(probabilities)
  const from = column * (utilities.byteLength / 4)
  const picked = new Float32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const place = ranked.places[rows[i]!]!
    picked[i] = place < 0 ? otherwise : (chances[from + place] ?? otherwise)
  }
  return picked
}
