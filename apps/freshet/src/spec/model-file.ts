import { readFile } from 'node:fs/promises'
import { ArtefactError } from '@freshet/ranking/artefact/artefact-error'
import { decodeArtefact, type ModelArtefact } from '@freshet/ranking/artefact/bytes'
import { checkModelFits } from '@freshet/ranking/artefact/fit'
import { hashOfPlan, type Plan } from '@freshet/ranking/plan/plan'
import { backendChoices, chooseBackend, type BackendChoice } from '@freshet/ranking/tensor/backend'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { refuse } from '../arguments.ts'

/**
 * Reads a trained model of this plan, as `freshet train --out` writes it and the registry stores it. Throws an ArtefactError if
 * the file is damaged, does not fit this version, or was trained for another plan.
 */
export async function readModelFile(file: string, plan: Plan): Promise<ModelArtefact> {
  const artefact = decodeArtefact(await readBytes(file), file)
  const { planHash } = artefact.manifest
  const hash = hashOfPlan(plan)
  if (planHash !== hash)
    throw new ArtefactError(
      'MODEL_PLAN_DIFFERS',
      `${file} was trained for the plan ${planHash}, but the spec ${plan.spec} is the plan ${hash}; train it again, or give the spec that it was trained with`,
    )
  checkModelFits(artefact.model, transformCatalogue, file)
  return artefact
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    return refuse(`the model ${file} cannot be read: ${(error as Error).message}`)
  }
}

/** Chooses the backend of TensorFlow.js that the argument `--backend` names. Throws an ArgumentError. */
export async function chooseBackendOf(name: string): Promise<string> {
  if (!(backendChoices as readonly string[]).includes(name))
    return refuse(`--backend is ${name}; give ${backendChoices.join(', ')}`)
  return chooseBackend(name as BackendChoice)
}
