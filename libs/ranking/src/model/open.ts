import { readFile } from 'node:fs/promises'
import { actions } from '@freshet/domain/engagement'
import { features } from '../features/catalogue.ts'
import { defaultSpecFile, parseSpec } from '../spec/spec.ts'
import { chooseBackend, type BackendChoice, type BackendName } from '../tensor/backend.ts'
import { createLogisticScorer } from './logistic.ts'
import type { Scorer } from './scorer.ts'

/** Chooses the backend and loads the spec. Throws a BackendError, or a SpecError that lists what is wrong with the spec. */
export async function openScorer(config: {
  readonly backend: BackendChoice
  /** null: the spec that ships with the library. */
  readonly specFile: string | null
}): Promise<{ readonly scorer: Scorer; readonly backend: BackendName }> {
  const backend = await chooseBackend(config.backend)
  const text = await readFile(config.specFile ?? defaultSpecFile, 'utf8')
  const spec = parseSpec(text, {
    features: features.filter(({ width }) => width === 1).map(({ name }) => name),
    actions,
  })
  return { scorer: createLogisticScorer(spec), backend }
}
