import { readFile } from 'node:fs/promises'
import { actions } from '@freshet/domain/engagement'
import { features } from '../features/catalogue.ts'
import { parseSpec } from '../spec/parse.ts'
import { SpecFileError } from '../spec/problems.ts'
import { defaultSpecFile, type RankingSpec } from '../spec/spec.ts'
import { chooseBackend, type BackendChoice, type BackendName } from '../tensor/backend.ts'
import { createLogisticScorer } from './logistic.ts'
import { openModelSlot, type ModelSlot, type ModelSource } from './slot.ts'

/** A model from the file of a ranking spec; null: the spec that ships with the library. Its `build` throws a SpecError or a SpecFileError. */
export function specFileSource(file: string | null): ModelSource {
  const name = file ?? defaultSpecFile
  return { name, build: async () => specTextSource(name, await readSpecFile(name)).build() }
}

/** A model from the text of a spec. `name` is the origin of the text. */
export function specTextSource(name: string, text: string): ModelSource {
  return { name, build: async () => createLogisticScorer(parseSpec(text, known, name)) }
}

/** A spec with its text. */
export interface LoadedSpec {
  readonly spec: RankingSpec
  readonly text: string
}

/** Reads and parses a spec; null: the one that ships with the library. Throws a SpecFileError or a SpecError. */
export async function loadSpec(file: string | null): Promise<LoadedSpec> {
  const name = file ?? defaultSpecFile
  const text = await readSpecFile(name)
  return { spec: parseSpec(text, known, name), text }
}

/** Reads the file of a spec. Throws a SpecFileError. */
export async function readSpecFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new SpecFileError(file, error as Error)
  }
}

/** A model reads one number per name, so a spec cannot name features of several numbers. */
const known = { features: features.filter(({ width }) => width === 1).map(({ name }) => name), actions }

/** Chooses the backend and opens a slot with the spec. Throws a BackendError, a SpecFileError, a SpecError or a ModelError. */
export async function openSpecSlot(config: {
  readonly backend: BackendChoice
  readonly specFile: string | null
}): Promise<{ readonly models: ModelSlot; readonly backend: BackendName }> {
  const backend = await chooseBackend(config.backend)
  return { models: await openModelSlot(specFileSource(config.specFile)), backend }
}
