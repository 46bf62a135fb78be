import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseKeyFile, type KeyEntry, type KeyFile } from '@freshet/access/key-file'
import { ArgumentError } from '../arguments.ts'

/** Only the owner may read a key file: it has the secrets of server keys. */
const ownerOnly = 0o600

/** Reads a key file; `isNew`: it may be missing. Throws ARGUMENT_INVALID or ACCESS_KEYS_INVALID. */
export function readKeys(file: string, { isNew = false } = {}): KeyFile {
  if (!existsSync(file)) {
    if (isNew) return { version: 1, keys: [] }
    throw new ArgumentError(`--file is ${file}, which does not exist; \`freshet keys create\` makes it`)
  }
  return parseKeyFile(readFileSync(file, 'utf8'), file)
}

/** Writes a key file at once, so that processes that watch it never read half of it. */
export function writeKeys(file: string, keys: readonly KeyEntry[]): void {
  const text = `${JSON.stringify({ version: 1, keys }, null, 2)}\n`
  parseKeyFile(text, file)
  const draft = `${file}.new`
  writeFileSync(draft, text, { mode: ownerOnly })
  renameSync(draft, file)
}

/** The key with an id. Throws ARGUMENT_INVALID. */
export function keyOf({ keys }: KeyFile, id: string): KeyEntry {
  const key = keys.find((each) => each.id === id)
  if (key !== undefined) return key
  throw new ArgumentError(`there is no key ${id.slice(0, 13)}; \`freshet keys list\` prints the ids`)
}
