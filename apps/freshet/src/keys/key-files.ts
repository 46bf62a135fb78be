import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { parseKeyFile, type KeyEntry, type KeyFile } from '@freshet/access/key-file'
import { ArgumentError } from '../arguments.ts'

/** Only the owner may read a new key file: it has the secrets of server keys. */
const ownerOnly = 0o600

/** Reads a key file; `isNew`: it may be missing. Throws ARGUMENT_INVALID or ACCESS_KEYS_INVALID. */
export function readKeys(file: string, { isNew = false } = {}): KeyFile {
  if (!existsSync(file)) {
    if (isNew) return { version: 1, keys: [] }
    throw new ArgumentError(`--file is ${file}, which does not exist; \`freshet keys create\` makes it`)
  }
  return parseKeyFile(readFileSync(file, 'utf8'), file)
}

/**
 * Reads a key file, and writes the keys that `change` makes of it. No other command changes the file meanwhile, and processes that
 * watch it never read half of it. It keeps its owner and its mode. Throws ARGUMENT_INVALID or ACCESS_KEYS_INVALID.
 */
export function changeKeys<Changed extends { readonly keys: readonly KeyEntry[] }>(
  file: string,
  options: { readonly isNew?: boolean },
  change: (old: KeyFile) => Changed,
): Changed {
  const lock = `${file}.lock`
  try {
    closeSync(openSync(lock, 'wx', ownerOnly))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new ArgumentError(`--file is ${file}, where nothing can be written: ${code}`)
    throw new ArgumentError(
      `--file is ${file}, which another command is changing; try again, or delete ${lock} if no command runs`,
    )
  }
  try {
    const changed = change(readKeys(file, options))
    writeKeys(file, changed.keys)
    return changed
  } finally {
    rmSync(lock, { force: true })
  }
}

function writeKeys(file: string, keys: readonly KeyEntry[]): void {
  const text = `${JSON.stringify({ version: 1, keys }, null, 2)}\n`
  parseKeyFile(text, file)
  const draft = `${file}.new`
  // A draft that was left behind would keep its mode.
  rmSync(draft, { force: true })
  writeFileSync(draft, text, { mode: ownerOnly, flag: 'wx' })
  try {
    if (existsSync(file)) keepOwner(draft, statSync(file), file)
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** Root changes files of services that do not run as root, which must be able to read them afterwards. */
function keepOwner(draft: string, { uid, gid, mode }: Stats, file: string): void {
  const own = statSync(draft)
  if (own.uid !== uid || own.gid !== gid)
    try {
      chownSync(draft, uid, gid)
    } catch {
      throw new ArgumentError(
        `--file is ${file}, which belongs to user ${uid} and group ${gid}; change it as that user or as root, so that its readers keep it`,
      )
    }
  chmodSync(draft, mode & 0o777)
}

/** The key with an id. Throws ARGUMENT_INVALID. */
export function keyOf({ keys }: KeyFile, id: string): KeyEntry {
  const key = keys.find((each) => each.id === id)
  if (key !== undefined) return key
  throw new ArgumentError(`there is no key ${id.slice(0, 13)}; \`freshet keys list\` prints the ids`)
}
