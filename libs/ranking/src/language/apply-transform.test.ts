import { describe, expect, it } from 'vitest'
import { hashOfPlan } from '../plan/plan.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { compileSpec } from './compile.ts'

const spec = (file: string): string =>
  `spec a\ninput age: scalar\nhead save: probability = forest(age, file: "${file}")\n`

function planOf(file: string, texts: Readonly<Record<string, string>>) {
  const readFile = (path: string): string => texts[path]!
  return compileSpec(texts[file]!, { file, catalogue: transformCatalogue, inputs: null, readFile }).plan
}

describe('the path of a file', () => {
  it('is relative to the spec, wherever the spec is', () => {
    const plans = ['a.rank', 'specs/a.rank', '/specs/a.rank', '../a.rank'].map((file) =>
      planOf(file, { [file]: spec('trees/save.txt') }),
    )
    expect(plans[0]!.nodes[0]!.params).toMatchObject({ file: 'trees/save.txt' })
    expect(new Set(plans.map(hashOfPlan)).size).toBe(1)
  })

  it('of an inherited statement is relative to the file of the statement', () => {
    const texts = {
      'specs/related/a.rank': 'spec b extends "../base/home.rank"\n',
      'specs/base/home.rank': spec('save.txt'),
    }
    expect(planOf('specs/related/a.rank', texts).nodes[0]!.params).toMatchObject({ file: '../base/save.txt' })
    const absolute = { ...texts, 'specs/base/home.rank': spec('/models/save.txt') }
    expect(planOf('specs/related/a.rank', absolute).nodes[0]!.params).toMatchObject({ file: '/models/save.txt' })
  })
})
