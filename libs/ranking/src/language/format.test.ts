import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../plan/plan.ts'
import { compileSpec } from './compile.ts'
import { formatSpec } from './format.ts'
import { LanguageError } from './problem.ts'
import { testCatalogue } from './testing.ts'

const format = (text: string): string => formatSpec(text, 'a.rank')

function planOf(text: string): string {
  const readFile = () => ''
  return canonicalJson(compileSpec(text, { file: 'a.rank', catalogue: testCatalogue, inputs: null, readFile }).plan)
}

/** Formulas of the inputs a and b, as text with any number of needless parentheses. */
const formula = fc.letrec<{ formula: string }>((tie) => ({
  formula: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', '3', '0.5', '1e-3', 'two'),
    tie('formula').map((inner) => `(${inner})`),
    tie('formula').map((inner) => `-${inner}`),
    tie('formula').map((inner) => `(not (${inner}))`),
    tie('formula').map((inner) => `clip(${inner}, low: -1, high: 2 * two)`),
    fc.tuple(tie('formula'), tie('formula')).map(([x, y]) => `max(${x}, ${y},)`.replace(',)', ')')),
    fc
      .tuple(tie('formula'), fc.constantFrom('+', '-', '*', '/', '^', 'and', 'or', '<', '=='), tie('formula'))
      .map(([x, operator, y]) => `(${x}) ${operator} (${y})`),
    fc.tuple(tie('formula'), tie('formula'), tie('formula')).map(([x, y, z]) => `(if ${x} then ${y} else ${z})`),
  ),
})).formula

const spec = fc
  .tuple(formula, formula, fc.stringMatching(/^[ -~]{0,20}$/), fc.constantFrom('', '\n', '\n\n\n'))
  .map(
    ([x, y, comment, gap]) =>
      `#${comment}\nspec s${gap}\ninput a,b:scalar #${comment}\n${gap}const two=2\nfeature x = ${x}  # ${comment}\n   # ${comment}\nhead save : probability=${y}+x+a\nexpose x,a${gap}\n# end`,
  )
  // Constants such as 1 / 0 are mistakes.
  .filter((text) => {
    try {
      planOf(text)
      return true
    } catch (error) {
      if (error instanceof LanguageError) return false
      throw error
    }
  })

describe('the formatter', () => {
  it('does not change the plan', () => {
    fc.assert(
      fc.property(spec, (text) => {
        expect(planOf(format(text))).toBe(planOf(text))
      }),
    )
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(spec, (text) => {
        expect(format(format(text))).toBe(format(text))
      }),
    )
  })

  it('keeps every comment', () => {
    const commentsOf = (text: string) => text.split('\n').flatMap((line) => /#\s*(.*?)\s*$/.exec(line)?.[1] ?? [])
    fc.assert(
      fc.property(spec, (text) => {
        expect(commentsOf(format(text))).toEqual(commentsOf(text))
      }),
    )
  })

  it('writes each statement in one way', () => {
    const text = `
spec  s   extends   "base.rank"


#about
input a , b:sequence[ 8 ]  of category   #trailing
const   c=[1,2,{x:3,"a b":true}]
function f(x,y)=((x)+(y))*2
feature k = if a<2 then (a-(b-c))-d else not (a and b)
first phase keep 3+1 by  a
head h:amount=linear(a),label:dwell
utility=2*h
expose a,k
training only a=0
train epochs:3,batch:2


`
    expect(format(text)).toBe(`spec s extends "base.rank"

# about
input a, b: sequence[8] of category  # trailing
const c = [1, 2, {x: 3, "a b": true}]
function f(x, y) = (x + y) * 2
feature k = if a < 2 then a - (b - c) - d else not (a and b)
first phase keep 3 + 1 by a
head h: amount = linear(a), label: dwell
utility = 2 * h
expose a, k
training only a = 0
train epochs: 3, batch: 2
`)
  })

  it('breaks long lines where a statement may continue', () => {
    const names = Array.from({ length: 20 }, (_, index) => `pin.feature_${index}`)
    const long = `feature a = ${names.join(' + ')}\nlayer b = concat(${names.join(', ')})\nexpose ${names.join(', ')}\n`
    const formatted = format(long)
    expect(Math.max(...formatted.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    expect(format(formatted)).toBe(formatted)
    expect(formatted.replaceAll(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')')).toBe(
      long.replaceAll('\n', ' '),
    )
  })

  it('leaves the lines of a statement with a comment inside', () => {
    const text = 'layer b = concat(a,   # why a\n      c)   # end\n'
    expect(format(text)).toBe('layer b = concat(a,   # why a\n      c)  # end\n')
  })

  it('refuses a text with syntax errors', () => {
    expect(() => format('feature = 2')).toThrow(LanguageError)
  })
})
