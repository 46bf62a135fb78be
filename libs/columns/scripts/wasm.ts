/**
 * `npm run wasm`: compiles every WebAssembly kernel. The source of a kernel is `libs/ROOM/assembly/NAME.ts` (with a folder
 * `NAME/` beside it where it has several files); its committed binary is `libs/ROOM/wasm/NAME.wasm`.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const libs = fileURLToPath(new URL('../..', import.meta.url))

/** A kernel by its room and name. */
export interface Kernel {
  readonly room: string
  readonly name: string
}

/** What differs between kernels: the memory is the host's (`--importMemory`) or the kernel's own, and SIMD is used or not. */
const optionsByName: Readonly<Record<string, readonly string[]>> = {
  inference: ['--importMemory', '--enable', 'simd', '--enable', 'relaxed-simd'],
  vectors: ['--enable', 'simd', '--enable', 'relaxed-simd'],
  'skip-gram': ['--importMemory', '--enable', 'simd'],
  walk: ['--importMemory'],
}

/** Every kernel of the libraries. */
export function kernels(): readonly Kernel[] {
  return readdirSync(libs).flatMap((room) =>
    namesIn(join(libs, room, 'assembly'), '.ts').map((name): Kernel => ({ room, name })),
  )
}

/** The names of the committed binaries of all rooms, as `ROOM/NAME`. */
export function committedBinaries(): readonly string[] {
  return readdirSync(libs).flatMap((room) =>
    namesIn(join(libs, room, 'wasm'), '.wasm').map((name) => `${room}/${name}`),
  )
}

/** Where a kernel's committed binary is. */
export function binaryPath({ room, name }: Kernel): string {
  return join(libs, room, 'wasm', `${name}.wasm`)
}

/** The binary that a kernel's source compiles to. Throws an Error with the compiler's messages, or for a kernel without options. */
export async function compile({ room, name }: Kernel): Promise<Uint8Array> {
  const options = optionsByName[name]
  if (options === undefined)
    throw new Error(`libs/columns/scripts/wasm.ts has no options for the kernel ${name} of libs/${room}`)
  let binary: Uint8Array | undefined
  const messages: string[] = []
  const { error } = await asc.main(
    [
      ...[`${name}.ts`, '--baseDir', join(libs, room, 'assembly'), '--outFile', `${name}.wasm`],
      ...['--runtime', 'stub', '-O3', '--noAssert', '--converge', '--initialMemory', '1', ...options],
    ],
    {
      writeFile: (file, contents) => {
        if (file === `${name}.wasm`) binary = contents as Uint8Array
      },
      stderr: {
        write: (text: Uint8Array | string) => {
          messages.push(typeof text === 'string' ? text : new TextDecoder().decode(text))
          return true
        },
      },
    },
  )
  if (error || !binary) {
    throw new Error(`the kernel ${name} of libs/${room} does not compile: ${messages.join('')}`, { cause: error })
  }
  return binary
}

/** File names with an ending, without it; none where there is no such folder. */
function namesIn(folder: string, ending: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(ending))
      .map((file) => file.slice(0, -ending.length))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const kernel of kernels()) {
    const path = binaryPath(kernel)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, await compile(kernel))
    console.log(path)
  }
}
