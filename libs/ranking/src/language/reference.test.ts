import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { exampleInputs } from '../transforms/example-inputs.ts'
import type { PlanInput } from '../plan/plan.ts'
import { compileSpec } from './compile.ts'
import { renderReference } from './reference.ts'
import { servingInputs } from './serving-inputs.ts'
import { statementReference } from './statement-reference.ts'
import { statementWords } from './tokens.ts'

const known: readonly PlanInput[] = [
  ...exampleInputs,
  ...servingInputs.filter(({ name }) => !exampleInputs.some((example) => example.name === name)),
]
const base = 'spec home\ninput pin.saves\nhead save: probability = linear(pin.saves)\n'

/** Compiles statements in a spec that declares the inputs they name, and has a head. */
function compileExample(example: string) {
  const named = known.filter(({ name }) =>
    new RegExp(`(?<![\\w.])${name.replaceAll('.', '\\.')}(?![\\w.])`).test(example),
  )
  const undeclared = named.filter(
    ({ name }) => !new RegExp(`^input .*${name.replaceAll('.', '\\.')}\\b`, 'm').test(example),
  )
  const parts = [
    /^spec /m.test(example) ? '' : 'spec example',
    ...undeclared.map(({ name }) => `input ${name}`),
    example,
    /^(head|spec) /m.test(example)
      ? ''
      : 'input candidate.retrieval_score\nhead any: amount = linear(candidate.retrieval_score)',
  ]
  return compileSpec(parts.join('\n'), {
    file: 'example.rank',
    catalogue: transformCatalogue,
    inputs: known,
    readFile: () => base,
  }).plan
}

describe('the reference page', () => {
  it('is current (npm run readme:update)', () => {
    const page = readFileSync(join(import.meta.dirname, '../../LANGUAGE.md'), 'utf8')
    expect(page).toBe(renderReference(transformCatalogue))
  })

  it('describes every statement of the language', () => {
    expect(statementReference.map(({ word }) => word).sort()).toEqual(Object.keys(statementWords).sort())
  })

  it.each(statementReference)('has an example of $word that compiles', ({ word, example }) => {
    expect(example).toMatch(new RegExp(`^${word}\\b`, 'm'))
    expect(compileExample(example).heads.length).toBeGreaterThan(0)
  })

  it.each([...transformCatalogue.values()])('has an example of $name that compiles', ({ example }) => {
    expect(compileExample(example).heads.length).toBeGreaterThan(0)
  })
})
