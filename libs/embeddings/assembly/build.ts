/** Compiles the skip-gram kernel. `node libs/embeddings/assembly/build.ts` writes the committed binary; a test compares. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Where the committed binary lies. */
export const binaryPath = fileURLToPath(new URL('../src/skip-gram-kernel.wasm', import.meta.url))

/** The binary that `skip-gram.ts` compiles to. Throws an Error with the compiler's messages. */
export async function compileSkipGramKernel(): Promise<Uint8Array> {
  let binary: Uint8Array | undefined
  const messages: string[] = []
  const options = [
    '--runtime',
    'stub',
    '-O3',
    '--noAssert',
    '--converge',
    '--importMemory',
    '--enable',
    'simd',
    '--initialMemory',
    '1',
  ]
  const { error } = await asc.main(['skip-gram.ts', '--baseDir', here, '--outFile', 'skip-gram.wasm', ...options], {
    writeFile: (name, contents) => {
      if (name === 'skip-gram.wasm') binary = contents as Uint8Array
    },
    stderr: {
      write: (text: Uint8Array | string) => {
        messages.push(typeof text === 'string' ? text : new TextDecoder().decode(text))
        return true
      },
    },
  })
  if (error || !binary) throw new Error(`the skip-gram kernel does not compile: ${messages.join('')}`, { cause: error })
  return binary
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(binaryPath, await compileSkipGramKernel())
