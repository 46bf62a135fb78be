import { readFileSync } from 'node:fs'
import { ArgumentError } from '../arguments.ts'
import { OperationError } from './errors.ts'

/** The variable with the key that commands send. */
const keyVariable = 'FRESHET_KEY'

/** Makes a key from a file the one that commands of this process send. Throws ARGUMENT_INVALID. */
export function sendKeyOf(file: string): void {
  try {
    process.env[keyVariable] = readFileSync(file, 'utf8').trim()
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new ArgumentError(`--key-file is ${file}, which cannot be read (${code}); give a file with the text of a key`)
  }
}

/** The key that commands send; null: none. Throws ARGUMENT_INVALID for a server key, which must not leave the machine. */
export function sentKey(): string | null {
  const key = process.env[keyVariable]?.trim() ?? ''
  if (key.startsWith('fs_'))
    throw new ArgumentError(
      `the key of ${keyVariable} or --key-file is the secret of a server key, which must never be sent; give an admin key (fa_…)`,
    )
  return key === '' ? null : key
}

/** The headers with the key that commands send. */
export function keyHeaders(): Readonly<Record<string, string>> {
  const key = sentKey()
  return key === null ? {} : { 'freshet-key': key }
}

/** The error of a command whose key was refused. `what`: the server, and its answer. */
export function refusedKey(what: string): OperationError {
  const text = sentKey() === null ? 'the command sent no key' : 'the command sent a key'
  return new OperationError('TARGET_REFUSED', `${what} (${text}; give one by --key-file FILE or ${keyVariable})`)
}
