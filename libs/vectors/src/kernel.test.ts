import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { binaryPath, compileKernel } from '../assembly/build.ts'

describe('kernel.wasm', () => {
  it('is what assembly/vectors.ts compiles to (else: node libs/vectors/assembly/build.ts)', async () => {
    const fresh = Buffer.from(await compileKernel())
    expect(fresh.equals(readFileSync(binaryPath))).toBe(true)
  })
})
