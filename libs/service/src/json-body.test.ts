import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonErrorPosition, parseJsonBody } from './json-body.ts'

const problemOf = (text: string | Buffer): string => {
  try {
    parseJsonBody(Buffer.from(text as string))
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('was taken')
}

describe('parseJsonBody', () => {
  it.each([
    ['{"a":x}', 5],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['[1 2]', 3],
    ['[1,\n 2,\n x]', 9],
    ['{"a":', 5],
    ['{"a":1}}', 7],
    ['[}', 1],
    ['nul', 0],
    ['', 0],
    ['01', 1],
    ['"\u0000"', 0],
    ['["\\x"]', 1],
    ['[NaN]', 1],
    ["{'a':1}", 1],
    [`${'['.repeat(50_000)}x`, 50_000],
  ])('finds where %j stops being JSON', (text, position) => {
    expect(jsonErrorPosition(text)).toBe(position)
  })

  it('says position, line and column', () => {
    expect(problemOf('{\n "a": 1,\n}')).toBe(
      'is not JSON: "}" at position 11 (line 3, column 1) is not what JSON has there',
    )
    expect(problemOf('{"a":')).toContain('the end of the body at position 5')
  })

  it('refuses what is no UTF-8', () => {
    expect(problemOf(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toContain('UTF-8')
    expect(problemOf('')).toContain('empty')
  })

  it('keeps __proto__ as a field of its own', () => {
    expect(Object.keys(parseJsonBody(Buffer.from('{"__proto__":{"a":1}}')) as object)).toEqual(['__proto__'])
  })

  it('takes a cut JSON text for wrong at its end or at the token that was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(), (value, cut) => {
        const text = JSON.stringify(value)
        const cutText = text.slice(0, cut % text.length)
        const position = jsonErrorPosition(cutText)
        expect(position).toBeLessThanOrEqual(cutText.length)
        // What stands before is fine: it can be completed.
        expect(text.startsWith(cutText.slice(0, position))).toBe(true)
      }),
    )
  })
})
