import { z } from 'zod'
import { fitIsotonic, isotonicProbabilities } from '../../calibration/isotonic.ts'
import { calibratedColumn, knownScores } from '../calibrated.ts'
import type { FittedTransform } from '../definition.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({ label: z.string().min(1) })
const state = z.strictObject({ scores: z.array(z.number()).min(1), probabilities: z.array(z.number()).min(1) })
type State = z.output<typeof state>

/** For scores of any scale with many rows (Barlow et al. 1972). */
export const isotonic: FittedTransform<z.output<typeof params>, State> = {
  gradient: 'fitted',
  name: 'isotonic',
  summary: 'A probability from a score, by the rising curve that is nearest to a label.',
  formula: 'argmin over rising f of Σ (f(x) − label)²',
  example: 'feature likely = isotonic(candidate.topic_affinity, label: save)',
  params,
  state,
  typeOf: (args) => checkArguments(args, 'scalar') ?? { kind: 'scalar' },
  stateProblem: ({ scores, probabilities }) =>
    scores.length === probabilities.length
      ? null
      : `have ${scores.length} scores and ${probabilities.length} probabilities`,
  fit([x], { label }, { labels, weights }) {
    const { scores, probabilities } = fitIsotonic(knownScores(x, labels.get(label)!, weights))
    return { scores: [...scores], probabilities: [...probabilities] }
  },
  evaluate: ([x], _params, output, fitted) =>
    calibratedColumn(x, output, (scores) => isotonicProbabilities(curveOf(fitted), scores, scores)),
}

const curves = new WeakMap<State, { readonly scores: Float64Array; readonly probabilities: Float64Array }>()

function curveOf(fitted: State): { readonly scores: Float64Array; readonly probabilities: Float64Array } {
  const curve = curves.get(fitted) ?? {
    scores: Float64Array.from(fitted.scores),
    probabilities: Float64Array.from(fitted.probabilities),
  }
  curves.set(fitted, curve)
  return curve
}
