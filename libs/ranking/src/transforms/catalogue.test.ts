import { describe, expect, it } from 'vitest'
import { exampleInputs } from './example-inputs.ts'
import { transformCatalogue } from './catalogue.ts'

const all = [...transformCatalogue.values()]

describe('the catalogue of transforms', () => {
  it.each(all.map((transform) => [transform.name, transform] as const))('describes %s', (name, transform) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    expect(transform.summary).toMatch(/^[\d\p{Lu}].*\.$/u)
    expect(transform.formula).not.toBe('')
    expect(transform.example).toMatch(/^(feature|layer|head|const) /)
  })

  it('uses in its examples only the inputs that are declared for them', () => {
    const declared = new Set(exampleInputs.map(({ name }) => name))
    const used = all.flatMap(({ example }) => example.match(/\b(user|pin|request|candidate)\.\w+/g) ?? [])
    expect(used.filter((name) => !declared.has(name))).toEqual([])
    expect([...declared].filter((name) => !used.includes(name))).toEqual([])
  })

  it('refuses unknown parameters', () => {
    for (const { name, params } of all) expect(params.safeParse({ surprise: 1 }).success, name).toBe(false)
  })
})
