import { z } from 'zod'
import { fitPlatt, plattProbabilities } from '../../calibration/platt.ts'
import { calibratedColumn, knownScores } from '../calibrated.ts'
import type { FittedTransform } from '../definition.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({ label: z.string().min(1) })
const state = z.strictObject({ slope: z.number(), intercept: z.number() })

/** For scores whose order is right and whose scale is not (Platt 1999). */
export const platt: FittedTransform<z.output<typeof params>, z.output<typeof state>> = {
  gradient: 'fitted',
  name: 'platt',
  summary: 'A probability from a score, by a logistic curve that is fitted to a label.',
  formula: '1 / (1 + e^−(slope · x + intercept))',
  example: 'feature likely = platt(candidate.topic_affinity, label: save)',
  params,
  state,
  typeOf: (args) => checkArguments(args, 'scalar') ?? { kind: 'scalar' },
  fit: ([x], { label }, { labels, weights }) => fitPlatt(knownScores(x, labels.get(label)!, weights)),
  evaluate: ([x], _params, output, fitted) =>
    calibratedColumn(x, output, (scores) => plattProbabilities(fitted, scores, scores)),
}
