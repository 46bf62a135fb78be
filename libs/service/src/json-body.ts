import { isUtf8 } from 'node:buffer'
import { BodyError } from './http-body.ts'

/** Depth of JSON unless configured. Parsing takes time and memory that grow with the depth: half a million levels take a tenth of a second. */
export const defaultJsonDepth = 16_384

/**
 * Parses a body strictly as UTF-8 JSON. `__proto__` becomes a plain field. Throws a BodyError with the position of the first error
 * and what was expected there, or if arrays and objects are nested more than `maxDepth` levels deep.
 */
export function parseJsonBody(bytes: Buffer, maxDepth = defaultJsonDepth): unknown {
  if (bytes.byteLength === 0) throw new BodyError('malformed', 'is empty; send JSON')
  if (!isUtf8(bytes)) throw new BodyError('malformed', 'is not well-formed UTF-8')
  // A shorter body cannot be that deep, so most bodies are not looked through.
  if (bytes.byteLength > maxDepth && isDeeper(bytes, maxDepth))
    throw new BodyError('too deep', `is nested more than ${maxDepth} levels deep; send it flatter`)
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const at = jsonErrorPosition(text, message)
    if (at === null) throw new BodyError('malformed', `is not JSON: ${message.toWellFormed()}`)
    const before = text.slice(0, at).split('\n')
    const place = `position ${at} (line ${before.length}, column ${(before.at(-1) ?? '').length + 1})`
    throw new BodyError('malformed', `is not JSON: ${reasonIn(message)} at ${place}`)
  }
}

/** Whether arrays and objects are nested deeper than `most`. Stops at the first that is. */
function isDeeper(bytes: Buffer, most: number): boolean {
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = endOfString(bytes, at)
    else if (byte === openArray || byte === openObject) {
      if (++depth > most) return true
    } else if (byte === closeArray || byte === closeObject) depth--
  }
  return false
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]

/** The place of the quotation mark that ends the string which begins at `from`; the end of the bytes if there is none. */
function endOfString(bytes: Buffer, from: number): number {
  for (let at = from + 1; ;) {
    const end = bytes.indexOf(quote, at)
    if (end < 0) return bytes.length
    let slashes = 0
    while (bytes[end - 1 - slashes] === backslash) slashes++
    if (slashes % 2 === 0) return end
    at = end + 1
  }
}

/**
 * The position of the first error in a text that is not JSON, in UTF-16 code units; null: not found. `message` is V8's
 * error for the text. It states the position of every error except an unexpected token; for that one it quotes the ten
 * characters before and after.
 */
export function jsonErrorPosition(text: string, message = parseError(text) ?? ''): number | null {
  const stated = / at position (\d+)/.exec(message)
  if (stated !== null) return Number(stated[1])
  if (message.startsWith(unexpectedEnd)) return text.length
  const quotation = /, (\.\.\.)?"(.*)"(?:\.\.\.)? is not valid JSON$/s.exec(message)
  if (quotation === null) return null
  const [, cut, quoted = ''] = quotation
  const candidates = cut === undefined ? firstPlaces(quoted.length) : placesOf(text, quoted)
  return candidates.find((at) => isTokenError(parseError(text.slice(0, at + 1)))) ?? null
}

const unexpectedEnd = 'Unexpected end'
const quotedBefore = 10
/** Each attempt parses all text before the position. */
const maxPlaces = 3

function firstPlaces(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}

/** Possible positions of the token. A text can contain the quoted characters more than once. */
function placesOf(text: string, quoted: string): number[] {
  const places: number[] = []
  for (let at = text.indexOf(quoted); at >= 0 && places.length < maxPlaces; at = text.indexOf(quoted, at + 1))
    places.push(at + quotedBefore)
  return places
}

function isTokenError(message: string | null): boolean {
  return message !== null && !message.startsWith(unexpectedEnd) && !message.includes(' at position ')
}

/** V8's error for a text that is not JSON; null: the text is JSON. */
function parseError(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** V8's message without position and quotation: `Expected ':' after property name`. */
function reasonIn(message: string): string {
  const reason = message.replace(
    /(, (\.\.\.)?".*"(\.\.\.)? is not valid JSON| in JSON at position .*| at position .*)$/s,
    '',
  )
  return reason.toWellFormed()
}
