import { createSeededRandom } from '@freshet/adapters/memory/random'
import { mutatedCases } from './fuzz.ts'
import { nextBroken, playCase, type Played } from './play.ts'
import type { Target } from './target-process.ts'

/** After so many mutated requests valid ones must be served. */
const probeEvery = 20

/** Plays `count` mutated requests of a seed. Prints a broken one with the bytes that it was, so that it can become a case. */
export async function fuzz(
  target: Target,
  options: { readonly seed: string; readonly count: number; readonly onBroken: (played: Played) => void },
): Promise<{ readonly played: number; readonly broken: number }> {
  let [played, broken] = [0, 0]
  for (const each of mutatedCases(createSeededRandom(options.seed), options.count)) {
    const result = await playCase(target, each, false)
    const laws = [...result.broken, ...(++played % probeEvery === 0 ? await nextBroken(target, true) : [])]
    if (laws.length > 0) {
      broken++
      options.onBroken({ ...result, broken: [...laws, JSON.stringify(each.hostile)] })
    }
    if (target.ended() !== null) break
  }
  return { played, broken }
}
