import type { CheckedSpec } from '../checked-spec.ts'
import { checkSpec } from '../check.ts'
import { inputsOf } from '../compile.ts'
import type { KnownInput } from '../declare.ts'
import type { Catalogue } from '../elaboration.ts'
import { readWholeSpec, type OwnedStatement, type ReadFile } from '../inherit.ts'

/** An input that an editor offers, with its unit if that is known. */
export interface EditorInput extends KnownInput {
  readonly unit?: string
}

/** What a spec is checked against in an editor. */
export interface EditorOptions {
  readonly catalogue: Catalogue
  /** The inputs of serving. A spec that declares the types of all its inputs does not read them. */
  readonly inputs: readonly EditorInput[]
  /** Reads a spec that another one extends; throws if that fails. */
  readonly readFile: ReadFile
}

/** A spec as it is being written, with all that is known about it in spite of its mistakes. */
export interface SpecAnalysis {
  readonly text: string
  readonly file: string
  readonly catalogue: Catalogue
  /** Inputs that a statement `input` may name; null: any, with a type. */
  readonly inputs: readonly EditorInput[] | null
  /** The statements without syntax errors, also the inherited ones. */
  readonly statements: readonly OwnedStatement[]
  readonly spec: CheckedSpec
}

/** Reads and checks the text of a spec. `file`: its path. */
export function analyseSpec(text: string, file: string, options: EditorOptions): SpecAnalysis {
  const { catalogue, readFile } = options
  const whole = readWholeSpec(text, file, readFile)
  const inputs = inputsOf(whole, options.inputs)
  const spec = checkSpec(whole, catalogue, inputs)
  return { text, file, catalogue, inputs, statements: whole.statements, spec }
}
