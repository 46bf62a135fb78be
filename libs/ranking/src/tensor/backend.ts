import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { createRequire } from 'node:module'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

/** The choices: `auto` uses the native library if it is installed, else WebAssembly. */
export const backendChoices = ['auto', 'tensorflow', 'wasm'] as const
export type BackendChoice = (typeof backendChoices)[number]

/** The backends in use. `cpu` (plain JavaScript) is not one of them: it is 30–50 times slower. */
export type BackendName = 'tensorflow' | 'wasm'

/** The chosen backend is not installed. `BACKEND_ABSENT`: install it with `npm run native`, or choose `wasm`. */
class BackendError extends CodedError<'BACKEND_ABSENT'> {
  constructor(message: string, options?: ErrorOptions) {
    super('BACKEND_ABSENT', rankingErrorCatalogue.BACKEND_ABSENT, message, options)
  }
}

let chosen: Promise<BackendName> | null = null

/**
 * Chooses the backend of TensorFlow.js once per process; later calls give the same result. `auto` falls back from the native
 * library to WebAssembly. Throws a BackendError if a backend chosen by name is not installed.
 */
export function chooseBackend(choice: BackendChoice): Promise<BackendName> {
  chosen ??= choose(choice)
  return chosen
}

async function choose(choice: BackendChoice): Promise<BackendName> {
  // One thread, because two are slower for the few hundred rows of a page. The library reads these when it loads.
  process.env['TF_NUM_INTRAOP_THREADS'] ??= '1'
  process.env['TF_NUM_INTEROP_THREADS'] ??= '1'
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  if (choice !== 'wasm') {
    const problem = await tryNative()
    if (problem === null) return 'tensorflow'
    if (choice === 'tensorflow') {
      throw new BackendError(
        `the native TensorFlow library was chosen but does not load (${problem.message}); run \`npm run native\`, or set the backend to wasm`,
        { cause: problem },
      )
    }
  }
  const binaries = `${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`
  setWasmPaths(binaries)
  if (!(await activate('wasm'))) throw new BackendError('the WebAssembly backend of TensorFlow.js does not start here')
  return 'wasm'
}

/** Why the native backend does not serve; null: it serves. */
async function tryNative(): Promise<Error | null> {
  if (!hasLibrary()) return new Error('its library is not installed')
  // tfjs-node 4.22 calls two functions that Node 23 removed.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value == null, isArray: Array.isArray })
  try {
    // The package is optional, so the type checker must not resolve its name.
    const packageName: string = '@tensorflow/tfjs-node'
    await import(packageName)
    return (await activate('tensorflow')) ? null : new Error('TensorFlow.js refuses the backend')
  } catch (error) {
    return error as Error
  }
}

/** Whether the compiled part is there. The package without it takes 0.15 s to load before it fails. */
function hasLibrary(): boolean {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'))
    return globSync('lib/napi-v*/tfjs_binding.node', { cwd: folder }).length > 0
  } catch {
    return false
  }
}

/** `setBackend` does not throw: it returns false and keeps the old backend. So this compares the result. */
async function activate(name: BackendName): Promise<boolean> {
  await tf.setBackend(name)
  await tf.ready()
  return tf.getBackend() === name
}
