import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

describe('the bundle for browsers', () => {
  it('uses neither Node nor other packages, and stays small', async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [new URL('./client.ts', import.meta.url).pathname],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      metafile: true,
      write: false,
      logLevel: 'silent',
    })
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.length).toBeGreaterThan(3)
    expect(inputs.filter((path) => !path.includes('libs/client/src/'))).toEqual([])
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([])
    const code = outputFiles[0]?.text ?? ''
    expect(code).not.toMatch(/\bprocess\b|\brequire\(|\bBuffer\b|node:/)
    expect(code.length).toBeLessThan(10_000)
  })
})
