import { readFile } from 'node:fs/promises'
import { actions } from '@freshet/domain/engagement'
import { features } from '@freshet/domain/features/catalogue'
import { createLogisticScorer, type Scorer } from '@freshet/ranking/logistic'
import { defaultSpecFile, parseSpec } from '@freshet/ranking/spec'
import { chooseBackend, type BackendName } from '@freshet/ranking/tensor/backend'
import type { RankerConfig } from './config.ts'

/** Chooses the backend and loads the spec. Throws a BackendError, or a SpecError that lists what is wrong with the spec. */
export async function openScorer(
  config: Pick<RankerConfig, 'backend' | 'specFile'>,
): Promise<{ readonly scorer: Scorer; readonly backend: BackendName }> {
  const backend = await chooseBackend(config.backend)
  const text = await readFile(config.specFile ?? defaultSpecFile, 'utf8')
  const spec = parseSpec(text, {
    features: features.filter(({ width }) => width === 1).map(({ name }) => name),
    actions,
  })
  return { scorer: createLogisticScorer(spec), backend }
}
