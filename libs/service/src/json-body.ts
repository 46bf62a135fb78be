import { isUtf8 } from 'node:buffer'
import { BodyError } from './http-body.ts'

/** Parses a body strictly: UTF-8, JSON, nothing else. `__proto__` becomes a plain field. Throws a BodyError with the position. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.byteLength === 0) throw new BodyError('malformed', 'is empty; send JSON')
  if (!isUtf8(bytes)) throw new BodyError('malformed', 'is not well-formed UTF-8')
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    const at = jsonErrorPosition(text)
    const before = text.slice(0, at).split('\n')
    const found = at >= text.length ? 'the end of the body' : JSON.stringify(text.slice(at, at + 12).toWellFormed())
    const place = `position ${at} (line ${before.length}, column ${(before.at(-1) ?? '').length + 1})`
    throw new BodyError('malformed', `is not JSON: ${found} at ${place} is not what JSON has there`)
  }
}

const token =
  /[ \t\n\r]*(?:([{}[\]:,])|("(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y // eslint-disable-line no-control-regex -- JSON forbids them in strings
const blank = /[ \t\n\r]*/y

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or close' | 'nothing'

/** Where a text that is no JSON stops being it, in UTF-16 code units: the first token that does not fit. The engine's own message often has no position. */
export function jsonErrorPosition(text: string): number {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let at = 0
  for (;;) {
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null) return afterBlank(text, at)
    const next = expect(expected, match[1] ?? (match[2] === undefined ? 'literal' : 'string'), open)
    if (next === null) return afterBlank(text, at)
    expected = next
    at = token.lastIndex
  }
}

function afterBlank(text: string, at: number): number {
  blank.lastIndex = at
  blank.exec(text)
  return blank.lastIndex
}

/** What is expected after `kind`; null: `kind` does not fit. Keeps `open` up to date. */
function expect(expected: Expected, kind: string, open: ('{' | '[')[]): Expected | null {
  const after = (): Expected => (open.length === 0 ? 'nothing' : ', or close')
  const inObject = open.at(-1) === '{'
  switch (kind) {
    case '{':
    case '[':
      if (expected !== 'value' && expected !== 'value or ]') return null
      open.push(kind)
      return kind === '{' ? 'key or }' : 'value or ]'
    case '}':
      if (expected !== 'key or }' && !(expected === ', or close' && inObject)) return null
      open.pop()
      return after()
    case ']':
      if (expected !== 'value or ]' && !(expected === ', or close' && !inObject)) return null
      open.pop()
      return after()
    case ':':
      return expected === ':' ? 'value' : null
    case ',':
      return expected === ', or close' ? (inObject ? 'key' : 'value') : null
    case 'string':
      if (expected === 'key' || expected === 'key or }') return ':'
      return expected === 'value' || expected === 'value or ]' ? after() : null
    default:
      return expected === 'value' || expected === 'value or ]' ? after() : null
  }
}
