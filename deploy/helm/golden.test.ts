import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chartFolder, helm, needed } from './rendered.ts'

/** Sets of values whose manifests are kept, by the name of their file. */
const valueSets: Readonly<Record<string, readonly string[]>> = {
  least: needed,
  everything: [...needed, '--values', join(import.meta.dirname, 'everything.values.yaml')],
}

describe('manifests of the chart', () => {
  it.each(Object.entries(valueSets))('are unchanged with the values %s (`npm run golden:update` renders them again)', async (name, args) => {
    const { code, stdout, stderr } = helm(4, 'template', 'freshet', chartFolder, '--namespace', 'feeds', ...args)
    expect(code, stderr).toBe(0)
    await expect(stdout).toMatchFileSnapshot(join(import.meta.dirname, `golden/${name}.yaml`))
  })
})
