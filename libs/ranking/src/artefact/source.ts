import type { ModelRecord } from '@freshet/domain/model-record'
import { canonicalJson } from '../plan/plan.ts'
import { servingInputs } from '../language/serving-inputs.ts'
import { parsePlan } from '../plan/parse-plan.ts'
import { createPlanModel } from '../serving/plan-model.ts'
import type { ModelSource } from '../serving/serving-model.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { ArtefactError } from './artefact-error.ts'
import { artefactName, decodeArtefact, sha256 } from './bytes.ts'
import { checkModelFits } from './fit.ts'
import type { InputStatistics, ModelManifest } from './manifest.ts'

/**
 * A model of the registry. `get` reads an artefact by its name. `build` throws what `get` throws; an ArtefactError if the bytes
 * are not those that the registry names or are not a model that this version can run; a PlanError or a ModelError if its plan is
 * not valid or reads what serving does not have.
 */
export function artefactSource(
  { surface, version, sha256: expected, planHash }: Pick<ModelRecord, 'surface' | 'version' | 'sha256' | 'planHash'>,
  get: (name: string) => Promise<Uint8Array>,
): ModelSource {
  const name = artefactName(surface, version)
  return {
    name,
    async build() {
      const bytes = await get(name)
      const { manifest, model } = decodeArtefact(bytes, name)
      if (sha256(bytes) !== expected)
        throw new ArtefactError(
          'MODEL_ARTEFACT_DAMAGED',
          `${name} is not the file that the registry names: its SHA-256 differs`,
        )
      if (manifest.planHash !== planHash)
        throw new ArtefactError(
          'MODEL_PLAN_DIFFERS',
          `${name} has the plan ${manifest.planHash}; the registry names the plan ${planHash}`,
        )
      checkModelFits(model, transformCatalogue, name)
      parsePlan(canonicalJson(model.plan), transformCatalogue, name)
      return createPlanModel(model, version, name, byFeature(manifest.inputs))
    },
  }
}

/** Statistics of inputs by the names that the features of serving have; a plan of the ranking language has other names. */
function byFeature(inputs: ModelManifest['inputs']): ReadonlyMap<string, InputStatistics> {
  const features = new Map(servingInputs.map(({ name, feature }) => [name, feature ?? name]))
  return new Map(Object.entries(inputs).map(([name, statistics]) => [features.get(name) ?? name, statistics]))
}
