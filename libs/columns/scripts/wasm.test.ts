import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { binaryPath, committedBinaries, compile, kernels } from './wasm.ts'

describe('committed WebAssembly', () => {
  it('has one binary for each kernel, and none besides', () => {
    expect(kernels().length).toBeGreaterThan(0)
    expect(committedBinaries()).toEqual(kernels().map(({ room, name }) => `${room}/${name}`))
  })

  it.each(kernels())(
    '$room/$name is what its source compiles to (else run `npm run wasm`)',
    async (kernel) => {
      expect(Buffer.from(await compile(kernel)).equals(readFileSync(binaryPath(kernel)))).toBe(true)
    },
    120_000,
  )

  it('reports a kernel without options by its name', async () => {
    await expect(compile({ room: 'columns', name: 'nothing' })).rejects.toThrow(
      'no options for the kernel nothing of libs/columns',
    )
  })
})
