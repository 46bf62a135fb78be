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
    ['nul', 3],
    ['', 0],
    ['01', 1],
    ['"\u0000"', 1],
    ['["\\x"]', 3],
    ['[NaN]', 1],
    ["{'a':1}", 1],
    [`${'['.repeat(50_000)}x`, 50_000],
    [`[${'{"dwellMs":1},'.repeat(500)}{"dwellMs":NaN},{"dwellMs":NaN},{"dwellMs":NaN}]`, 7_012],
    ['[1,,2]', 3],
    ["[1,']", 3],
    ['[1, 😀]', 4],
  ])('finds where %.60s stops being JSON', (text, position) => {
    expect(jsonErrorPosition(text)).toBe(position)
  })

  it('reports what is wrong, with position, line and column', () => {
    expect(problemOf('{\n "a": 1,\n}')).toBe(
      'is not JSON: Expected double-quoted property name at position 11 (line 3, column 1)',
    )
    expect(problemOf('{"a":')).toBe('is not JSON: Unexpected end of JSON input at position 5 (line 1, column 6)')
    expect(problemOf('{"a":x}')).toBe("is not JSON: Unexpected token 'x' at position 5 (line 1, column 6)")
    expect(problemOf('{} x')).toBe(
      'is not JSON: Unexpected non-whitespace character after JSON at position 3 (line 1, column 4)',
    )
  })

  it('finds a token among strings that contain the same characters, and quotes it if they contain them too often', () => {
    const decoy = '1234567890,NaN,12345678,'
    const text = (decoys: number): string => `["${decoy.repeat(decoys)}", ${decoy}0]`
    expect(jsonErrorPosition(text(2))).toBe(text(2).lastIndexOf('NaN'))
    expect(problemOf(text(9))).toBe(`is not JSON: Unexpected token 'N', ..."234567890,NaN,123456"... is not valid JSON`)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(problemOf(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toContain('UTF-8')
    expect(problemOf('')).toContain('empty')
  })

  it('keeps __proto__ as a plain field', () => {
    expect(Object.keys(parseJsonBody(Buffer.from('{"__proto__":{"a":1}}')) as object)).toEqual(['__proto__'])
  })

  it('reports the error of a cut JSON text at its end or at the cut token', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(), (value, cut) => {
        const text = JSON.stringify(value)
        const cutText = text.slice(0, cut % text.length)
        const position = jsonErrorPosition(cutText)
        expect(position).not.toBeNull()
        expect(position).toBeLessThanOrEqual(cutText.length)
        expect(cutText === '' || position! >= cutText.length - 5).toBe(true)
      }),
    )
  })

  it('of arrays and objects at the greatest depth is read, and one level deeper is refused', () => {
    const nested = (depth: number): Buffer => Buffer.from('[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2))
    expect(() => parseJsonBody(nested(64), 64)).not.toThrow()
    expect(() => parseJsonBody(nested(66), 64)).toThrow('is nested more than 64 levels deep')
    expect(() => parseJsonBody(Buffer.from('['.repeat(65)), 64)).toThrow('is nested more than 64 levels deep')
  })

  it('may have any brackets in its strings, and is as deep as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), fc.integer({ min: 0, max: 20 }), (texts, depth) => {
        const value = JSON.parse('['.repeat(depth) + JSON.stringify(texts) + ']'.repeat(depth)) as unknown
        const bytes = Buffer.from(JSON.stringify(value))
        if (bytes.length <= depth + 1) return
        expect(parseJsonBody(bytes, depth + 1)).toEqual(JSON.parse(bytes.toString()))
        expect(() => parseJsonBody(bytes, depth)).toThrow('levels deep')
      }),
    )
  })
})
