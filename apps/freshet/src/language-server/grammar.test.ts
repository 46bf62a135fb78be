import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { statementReference } from '@freshet/ranking/language/statement-reference'
import { describe, expect, it } from 'vitest'

interface Rule {
  readonly name?: string
  readonly match: string
  readonly captures?: Readonly<Record<string, { readonly name: string }>>
}
interface Grammar {
  readonly patterns: readonly { readonly include: string }[]
  readonly repository: Readonly<Record<string, Rule>>
}

const file = join(import.meta.dirname, '../../editors/vscode/rank.tmLanguage.json')
const grammar = JSON.parse(readFileSync(file, 'utf8')) as Grammar
const rules = grammar.patterns.map(({ include }) => grammar.repository[include.slice(1)]!)
const specs = join(import.meta.dirname, '../../../../libs/ranking/specs')

interface Scoped {
  readonly text: string
  readonly scope: string
}

/** The parts of a line with their scopes, as editors find them: the earliest match, and of several the first rule. */
function scopesOf(line: string): readonly Scoped[] {
  const found: Scoped[] = []
  for (let at = 0; at < line.length;) {
    const matches = rules.flatMap((rule) => {
      // Only the start of a line is the start of a line.
      if (rule.match.startsWith('^') && at > 0) return []
      const pattern = new RegExp(rule.match, 'dg')
      pattern.lastIndex = at
      const match = pattern.exec(line)
      return match === null ? [] : [{ rule, match }]
    })
    const first = matches.reduce<(typeof matches)[number] | null>(
      (best, each) => (best === null || each.match.index < best.match.index ? each : best),
      null,
    )
    if (first === null) return [...found, { text: line.slice(at), scope: '' }]
    const { rule, match } = first
    if (match.index > at) found.push({ text: line.slice(at, match.index), scope: '' })
    if (rule.name !== undefined) found.push({ text: match[0], scope: rule.name })
    for (const [group, { name }] of Object.entries(rule.captures ?? {}))
      found.push({ text: match[Number(group)]!, scope: name })
    at = match.index + match[0].length
  }
  return found
}

describe('the grammar for highlighting', () => {
  it('knows the words of all statements', () => {
    for (const { word, example } of statementReference) {
      const line = example.split('\n').find((each) => each.startsWith(word))!
      const [first] = scopesOf(line)
      expect([first!.text.trim(), first!.scope]).toEqual([word, 'keyword.control.rank'])
    }
  })

  it('scopes every character of the specs that ship, except punctuation', () => {
    for (const name of readdirSync(specs).filter((each) => each.endsWith('.rank')))
      for (const line of readFileSync(join(specs, name), 'utf8').split('\n'))
        for (const { text, scope } of scopesOf(line)) if (scope === '') expect(text).toMatch(/^[\s()[\]{},:]*$/)
  })

  it('tells declarations, options, calls, names, numbers, texts and comments apart', () => {
    const scopes = scopesOf('feature bucket = clip(pin.age ^ 2, low: -1.5, by: "x") # if then')
    const found = scopes.filter(({ scope }) => scope !== '').map(({ text, scope }) => `${text} ${scope.split('.')[0]}`)
    expect(found).toEqual([
      'feature keyword',
      'bucket entity',
      '= keyword',
      'clip support',
      'pin.age variable',
      '^ keyword',
      '2 constant',
      'low variable',
      '- keyword',
      '1.5 constant',
      'by variable',
      '"x" string',
      '# if then comment',
    ])
  })
})
