import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { compileForRows, compileSpec, type CompiledSpec } from '@freshet/ranking/language/compile'
import { servingInputs } from '@freshet/ranking/language/serving-inputs'
import { loadSpec } from '@freshet/ranking/model/spec-file'
import { planOfSpec } from '@freshet/ranking/spec/plan-of-spec'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { refuse } from '../arguments.ts'

/** Against which inputs a spec is compiled. */
export interface SpecArguments {
  /** The spec is for rows and declares its inputs with types; otherwise it reads the inputs of serving. */
  readonly rows?: boolean
}

/** The text of a spec's file. Throws an ArgumentError if the file cannot be read or is not text. */
export function readSpecText(file: string): string {
  try {
    // Without `fatal`, a compressed file is a text with a mistake in each word.
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    return refuse(`the spec ${file} cannot be read: ${(error as Error).message}`)
  }
}

/** Compiles the spec of a file. Throws a LanguageError that lists all mistakes. */
export function compileFile(file: string, { rows = false }: SpecArguments): CompiledSpec {
  return compileSpec(readSpecText(file), {
    file,
    catalogue: transformCatalogue,
    inputs: rows ? null : servingInputs,
    readFile: (path) => readFileSync(path, 'utf8'),
  })
}

/**
 * Compiles the spec of a file for a file of rows: against the inputs of serving, unless it declares the types of all its inputs.
 * Throws a LanguageError.
 */
export function compileFileForRows(file: string): CompiledSpec & { readonly text: string } {
  const text = readSpecText(file)
  const compiled = compileForRows(text, {
    file,
    catalogue: transformCatalogue,
    inputs: servingInputs,
    readFile: (path) => readFileSync(path, 'utf8'),
  })
  return { ...compiled, text }
}

/**
 * The plan of a spec that a model was trained for: of a `.rank` file as for rows, of a spec in JSON as the trainer learns it for
 * the home feed. Throws a LanguageError, a SpecError or a SpecFileError.
 */
export async function planOfFile(file: string): Promise<CompiledSpec> {
  if (extname(file) !== '.json') return compileFileForRows(file)
  const loaded = await loadSpec(file)
  return { plan: loaded.kind === 'json' ? planOfSpec(loaded.spec, 'home') : loaded.plan, warnings: [] }
}
