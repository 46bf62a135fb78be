/** Compiles the hot loops. `node libs/vectors/assembly/build.ts` writes the committed binary; the test compares. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Where the committed binary lies. */
export const binaryPath = fileURLToPath(new URL('../src/kernel.wasm', import.meta.url))

/** The binary that the source in this folder compiles to. Throws an Error with the compiler's messages. */
export async function compileKernel(): Promise<Uint8Array> {
  let binary: Uint8Array | undefined
  const messages: string[] = []
  const { error } = await asc.main(
    [
      'vectors.ts',
      '--baseDir',
      here,
      '--outFile',
      'kernel.wasm',
      '--runtime',
      'stub',
      '-O3',
      '--noAssert',
      '--converge',
      '--enable',
      'simd',
      '--enable',
      'relaxed-simd',
      '--initialMemory',
      '1',
    ],
    {
      writeFile: (name, contents) => {
        if (name === 'kernel.wasm') binary = contents as Uint8Array
      },
      stderr: { write: (text: string) => messages.push(text) } as never,
    },
  )
  if (error || !binary) throw new Error(`the vector kernel does not compile: ${messages.join('')}`, { cause: error })
  return binary
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(binaryPath, await compileKernel())
