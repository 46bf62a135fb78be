import type { ModelSource } from '../serving/serving-model.ts'
import { specTextSource } from './spec-file.ts'

/** A spec whose models differ only by their bias, so that a test can see which one scored an answer. */
export function biasedSpecText(version: string, bias: number): string {
  return JSON.stringify({
    version,
    features: { retrieval_score: {}, pin_age: { transform: 'log1p' }, topic_affinity: { transform: 'signed-log1p' } },
    actions: {
      click: { worth: 1, bias, weights: { retrieval_score: 1, pin_age: -0.1, topic_affinity: 0.3 } },
      save: { worth: 3, bias: bias - 1 },
    },
  })
}

/** The model of such a spec. */
export function biasedSource(version: string, bias: number): ModelSource {
  return specTextSource(`test ${version}`, biasedSpecText(version, bias))
}
