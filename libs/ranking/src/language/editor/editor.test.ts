import { describe, expect, it } from 'vitest'
import { transformCatalogue } from '../../transforms/catalogue.ts'
import { compileSpec } from '../compile.ts'
import { LanguageError } from '../problem.ts'
import { servingInputs } from '../serving-inputs.ts'
import { analyseSpec, type SpecAnalysis } from './analysis.ts'
import { completionsAt } from './completion.ts'
import { definitionAt } from './definition.ts'
import { diagnosticsOf } from './diagnostics.ts'
import { hoverAt } from './hover.ts'

const files: Readonly<Record<string, string>> = {
  '/specs/home.rank': 'spec home\ninput pin.age\nfeature old = log1p(pin.age)\nhead save: probability = linear(old)\n',
  '/specs/broken.rank': 'spec broken\ninput pin.aeg\nhead save: probability = linear(1)\n',
}
const readFile = (path: string): string => {
  const text = files[path]
  if (text === undefined) throw new Error('no such file')
  return text
}
const options = { catalogue: transformCatalogue, inputs: servingInputs, readFile }

/** A spec in which `|` is the cursor. */
function at(text: string): { readonly analysis: SpecAnalysis; readonly offset: number } {
  return { analysis: analyseSpec(text.replace('|', ''), '/specs/a.rank', options), offset: text.indexOf('|') }
}

function labels(text: string): readonly string[] {
  const { analysis, offset } = at(text)
  return completionsAt(analysis, offset).items.map(({ label }) => label)
}

function hover(text: string): string | undefined {
  const { analysis, offset } = at(text)
  return hoverAt(analysis, offset)?.text
}

const declared =
  'spec a\ninput pin.age, user.id\nconst week = 168\nfunction twice(x) = x * 2\nfeature old = pin.age / week\n'
const complete = `${declared}head save: probability = linear(old), calibrate: platt\n`

describe('diagnostics', () => {
  it('are all mistakes at once, with the texts of spec check', () => {
    const text = 'spec a\ninput pin.aeg\nfeature = 3\nhead save: probability = liner(pin.age)\n'
    const { analysis } = at(text)
    let expected: readonly unknown[] = []
    try {
      compileSpec(text, { ...options, file: '/specs/a.rank' })
    } catch (error) {
      expected = (error as LanguageError).problems.map(({ code, message }) => [code, message])
    }
    const errors = diagnosticsOf(analysis).filter(({ severity }) => severity === 'error')
    expect(errors.map(({ code, message }) => [code, message])).toEqual(expected)
    expect(errors.map(({ code }) => code)).toEqual([
      'SPEC_UNKNOWN_NAME',
      'SPEC_SYNTAX',
      'SPEC_UNKNOWN_NAME',
      'SPEC_UNKNOWN_NAME',
    ])
    expect(text.slice(errors[0]!.from, errors[0]!.to)).toBe('pin.aeg')
  })

  it('of a spec that this one extends are at its path', () => {
    const text = 'spec a extends "broken.rank"\n'
    const [first] = diagnosticsOf(at(text).analysis)
    expect(text.slice(first!.from, first!.to)).toBe('"broken.rank"')
    expect(first!.message).toMatch(/^\/specs\/broken\.rank:2:7: SPEC_UNKNOWN_NAME/)
  })

  it('are in the text, whatever the text is', () => {
    for (let end = 0; end <= complete.length; end++) {
      const text = complete.slice(0, end)
      for (const { from, to } of diagnosticsOf(at(text).analysis)) {
        expect(from).toBeGreaterThanOrEqual(0)
        expect(to).toBeLessThanOrEqual(Math.max(1, text.length + 1))
      }
    }
  })
})

describe('completion', () => {
  it.each([
    ['statements at the start of a line', `${complete}fea|`, ['feature', 'training only', 'utility'], ['pin.age']],
    [
      'inputs of serving that are not declared',
      'spec a\ninput pin.age, pin.|',
      ['pin.silence', 'user.id'],
      ['pin.age'],
    ],
    [
      'names, functions and transforms in a formula',
      `${complete}feature b = pin.|`,
      ['pin.age', 'pin.*', 'old', 'week', 'twice', 'log1p'],
      ['save', 'add'],
    ],
    ['options of a transform', `${complete}feature b = clip(old, lo|`, ['low:', 'high:', 'old'], ['buckets:']],
    ['values of an option', `${complete}feature b = pool(old, by: |`, ['mean', 'sum', 'max', 'last'], ['old']],
    ['kinds of heads', `${complete}head click: |`, ['probability', 'amount'], ['old']],
    [
      'options of a head',
      `${complete}head click: probability = linear(old), |`,
      ['label:', 'loss:', 'calibrate:'],
      ['old'],
    ],
    [
      'calibrations',
      `${complete}head click: probability = linear(old), calibrate: |`,
      ['none', 'platt', 'isotonic'],
      ['old'],
    ],
    ['heads in the utility', `${complete}utility = 4 * |`, ['save', 'week'], ['old']],
    ['options of train', `${complete}train epochs: 3, |`, ['batch:', 'patience:'], ['old']],
    ['types', 'spec a\ninput x: |', ['scalar', 'category', 'sequence'], ['feature']],
    ['names to expose', `${complete}expose |`, ['pin.age', 'old'], ['save', 'log1p']],
  ])('proposes %s', (_, text, some, none) => {
    const found = labels(text)
    expect(found).toEqual(expect.arrayContaining(some))
    for (const label of none) expect(found).not.toContain(label)
  })

  it('proposes nothing in comments and texts', () => {
    expect(labels(`${complete}# pin.|`)).toEqual([])
    expect(labels(`${complete}const place = "pin.|`)).toEqual([])
  })

  it('replaces the word at the cursor', () => {
    const { analysis, offset } = at(`${complete}feature b = pin.a|`)
    expect(completionsAt(analysis, offset).from).toBe(offset - 'pin.a'.length)
  })
})

describe('hover', () => {
  it('shows type, side, unit and formula', () => {
    expect(hover(complete.replace('pin.age /', 'pin.|age /'))).toBe(
      '```\ninput pin.age: scalar\n```\n\na value for each candidate\n\nunit: hours',
    )
    expect(hover(complete.replace('linear(old)', 'linear(o|ld)'))).toBe(
      '```\nfeature old: scalar\n```\n\n`pin.age / week`\n\nfixed; a value for each candidate',
    )
    expect(hover(complete.replace('/ week', '/ we|ek'))).toContain('const week = 168')
    expect(hover(complete.replace('lin', 'l|in'))).toMatch(/linear\(…, units: 1\)[^]*learned$/)
    expect(hover(complete.replace('head', 'he|ad'))).toContain('Predicts a label')
    expect(hover(complete.replace('calibrate', 'cali|brate'))).toBeUndefined()
  })
})

describe('go to definition', () => {
  it('finds statements, parameters, inherited statements and the extended file', () => {
    const find = (text: string) => {
      const { analysis, offset } = at(text)
      const span = definitionAt(analysis, offset)
      return span && [span.file, span.line, span.column]
    }
    expect(find(complete.replace('linear(old)', 'linear(o|ld)'))).toEqual(['/specs/a.rank', 5, 9])
    expect(find(complete.replace('= x', '= |x'))).toEqual(['/specs/a.rank', 4, 16])
    expect(find('spec a extends "home.rank"\nfeature b = ol|d + 1\n')).toEqual(['/specs/home.rank', 3, 9])
    expect(find('spec a extends "home|.rank"\n')).toEqual(['/specs/home.rank', 1, 1])
    expect(find(complete.replace('calibrate', 'cali|brate'))).toBeNull()
  })
})
