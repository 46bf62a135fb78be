import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'
import { dirname } from 'node:path'
import { createRequire } from 'node:module'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

/** What is wanted: `auto` takes the native library where it is installed, else WebAssembly. */
export const backendChoices = ['auto', 'tensorflow', 'wasm'] as const
export type BackendChoice = (typeof backendChoices)[number]

/** What computes. `cpu` (plain JavaScript) is never used: it is 30–50 times slower. */
export type BackendName = 'tensorflow' | 'wasm'

/** The wanted backend is not there. `BACKEND_ABSENT`: install it with `npm run native`, or ask for `wasm`. */
class BackendError extends CodedError<'BACKEND_ABSENT'> {
  constructor(message: string, options?: ErrorOptions) {
    super('BACKEND_ABSENT', rankingErrorCatalogue.BACKEND_ABSENT, message, options)
  }
}

let chosen: Promise<BackendName> | null = null

/**
 * Chooses what TensorFlow.js computes with, once per process; later calls answer the same. `auto` falls back from the
 * native library to WebAssembly; a backend that was asked for by name and is absent is a BackendError.
 */
export function chooseBackend(choice: BackendChoice): Promise<BackendName> {
  chosen ??= choose(choice)
  return chosen
}

async function choose(choice: BackendChoice): Promise<BackendName> {
  // One thread: two are slower for the few hundred rows of a page. Read by the library when it is loaded.
  process.env['TF_NUM_INTRAOP_THREADS'] ??= '1'
  process.env['TF_NUM_INTEROP_THREADS'] ??= '1'
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  if (choice !== 'wasm') {
    const problem = await tryNative()
    if (problem === null) return 'tensorflow'
    if (choice === 'tensorflow') {
      throw new BackendError(
        `the native TensorFlow library was asked for but does not load (${problem.message}); run \`npm run native\`, or set the backend to wasm`,
        { cause: problem },
      )
    }
  }
  const binaries = `${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`
  setWasmPaths(binaries)
  if (!(await activate('wasm'))) throw new BackendError('the WebAssembly backend of TensorFlow.js does not start here')
  return 'wasm'
}

async function tryNative(): Promise<Error | null> {
  // tfjs-node 4.22 calls two functions that Node 23 removed.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value == null, isArray: Array.isArray })
  try {
    // Optional, so its name must not be resolved by the type checker where it is not installed.
    const packageName: string = '@tensorflow/tfjs-node'
    await import(packageName)
    return (await activate('tensorflow')) ? null : new Error('TensorFlow.js refuses the backend')
  } catch (error) {
    return error as Error
  }
}

/** `setBackend` answers false instead of throwing and keeps the old backend, so the result is compared. */
async function activate(name: BackendName): Promise<boolean> {
  await tf.setBackend(name)
  await tf.ready()
  return tf.getBackend() === name
}
