import { readFileSync } from 'node:fs'
import { compileSpec, type CompiledSpec } from '@freshet/ranking/language/compile'
import { servingInputs } from '@freshet/ranking/language/serving-inputs'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { refuse } from '../arguments.ts'

/** Against which inputs a spec is compiled. */
export interface SpecArguments {
  /** The spec is for rows and declares its inputs with types; otherwise it reads the inputs of serving. */
  readonly rows?: boolean
}

/** The text of a spec's file. Throws an ArgumentError if the file cannot be read. */
export function readSpecText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
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
