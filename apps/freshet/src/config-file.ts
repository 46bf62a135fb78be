import { readFile } from 'node:fs/promises'
import { RetrievalConfigError } from '@freshet/retrieval/errors'
import { ArgumentError } from './arguments.ts'
import type { EmbeddedConfig } from './embedded.ts'

/** Parts of the file of `--config`. */
const configParts = ['candidates', 'updater', 'ranking', 'blender', 'trainer']

/** Reads the settings of the services from the file of `--config`; undefined: none is given. Throws an ArgumentError. */
export async function readConfigFile(file: string | undefined): Promise<EmbeddedConfig> {
  if (file === undefined) return {}
  let config: unknown
  try {
    config = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ArgumentError(`--config ${file} is not JSON: ${error.message}`)
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new ArgumentError(`--config ${file} is not a JSON object`)
  const unknown = Object.keys(config).filter((name) => !configParts.includes(name))
  if (unknown.length > 0)
    throw new ArgumentError(
      `--config ${file} has the unknown part ${unknown.join(', ')}; parts are ${configParts.join(', ')}`,
    )
  return config
}

/** An ArgumentError with all problems of settings on one line. Throws any other error again. */
export function refuseSettings(file: string | undefined, error: unknown): ArgumentError {
  return new ArgumentError(`--config ${file ?? ''}: ${settingsProblem(error)}`)
}

/** The problems of settings on one line. Throws any other error again. */
function settingsProblem(error: unknown): string {
  const { issues, message } = error as {
    readonly issues?: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
    readonly message: string
  }
  if (issues !== undefined) return issues.map((issue) => [issue.path.join('.'), issue.message].join(': ')).join('; ')
  if (error instanceof RetrievalConfigError) return message
  throw error
}
