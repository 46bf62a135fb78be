import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { actions } from '@freshet/domain/engagement'
import { features } from '../features/catalogue.ts'
import { compileSpec } from '../language/compile.ts'
import { readWholeSpec } from '../language/inherit.ts'
import { servingInputs } from '../language/serving-inputs.ts'
import type { Plan } from '../plan/plan.ts'
import { createUntrainedModel } from '../serving/plan-model.ts'
import type { ModelSource, ServingModel } from '../serving/serving-model.ts'
import { createSpecModel } from '../serving/spec-model.ts'
import { parseSpec } from '../spec/parse.ts'
import { SpecFileError } from '../spec/problems.ts'
import { defaultSpecFile, type RankingSpec } from '../spec/spec.ts'
import { chooseBackend, type BackendChoice, type BackendName } from '../tensor/backend.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { openModelSlot, type ModelSlot } from './slot.ts'

/** A spec with its text: in JSON, or in the ranking language (a file that ends in `.rank`), compiled to its plan. */
export type LoadedSpec =
  | { readonly kind: 'json'; readonly text: string; readonly spec: RankingSpec }
  | { readonly kind: 'language'; readonly text: string; readonly plan: Plan }

/**
 * The model of the file of a ranking spec before any training; null: the spec that ships with the library. A spec in JSON has
 * weights of its own; one in the ranking language keeps the order of retrieval. Its `build` throws what `loadSpec` throws.
 */
export function specFileSource(file: string | null): ModelSource {
  const name = file ?? defaultSpecFile
  return { name, build: async () => modelOf(await loadSpec(file), name) }
}

/** The model of the text of a spec. `name` is the origin of the text; its ending says which language the text is in. */
export function specTextSource(name: string, text: string): ModelSource {
  return { name, build: async () => modelOf(parseText(text, name), name) }
}

function modelOf(loaded: LoadedSpec, name: string): ServingModel {
  return loaded.kind === 'json' ? createSpecModel(loaded.spec) : createUntrainedModel(loaded.plan, name)
}

/**
 * Reads and checks a spec; null: the one that ships with the library. Throws a SpecFileError if the file cannot be read, and a
 * SpecError (JSON) or a LanguageError (`.rank`) that lists all mistakes.
 */
export async function loadSpec(file: string | null): Promise<LoadedSpec> {
  const name = file ?? defaultSpecFile
  return parseText(await readSpecFile(name), name)
}

function parseText(text: string, name: string): LoadedSpec {
  if (!isLanguage(name)) return { kind: 'json', text, spec: parseSpec(text, known, name) }
  const options = { file: name, catalogue: transformCatalogue, inputs: servingInputs, readFile: readBase }
  return { kind: 'language', text, plan: compileSpec(text, options).plan }
}

function isLanguage(file: string): boolean {
  return extname(file) === '.rank'
}

/** The texts that a spec is made of: its own, and those of the specs that it extends. Two equal lists make equal models. */
export function textsOfSpec(file: string, text: string): readonly string[] {
  if (!isLanguage(file)) return [text]
  const bases: string[] = []
  readWholeSpec(text, file, (path) => {
    const base = readBase(path)
    bases.push(base)
    return base
  })
  return [text, ...bases]
}

function readBase(path: string): string {
  return readFileSync(path, 'utf8')
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

/** Chooses the backend and opens a slot with the spec. Throws a BackendError, a ModelError, or what `loadSpec` throws. */
export async function openSpecSlot(config: {
  readonly backend: BackendChoice
  readonly specFile: string | null
}): Promise<{ readonly models: ModelSlot; readonly backend: BackendName }> {
  const backend = await chooseBackend(config.backend)
  return { models: await openModelSlot(specFileSource(config.specFile)), backend }
}
