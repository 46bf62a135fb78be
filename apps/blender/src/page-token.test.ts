import { isContractError } from '@freshet/contracts/errors'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPageTokens, type PageSession, type TokenOwner } from './page-token.ts'

const [key, otherKey] = ['a key of some length', 'another key of some length']
const tokens = createPageTokens([key])
const ada: TokenOwner = { userId: 'ada', surface: 'home' }
const aSession: PageSession = { firstPosition: 25, startedAtMs: 1_760_000_000_000, recorded: true }
const sessions = fc.record({
  firstPosition: fc.nat(9_999_999),
  startedAtMs: fc.integer({ min: 1, max: 4_000_000_000_000 }),
  recorded: fc.boolean(),
})

describe('a page token', () => {
  test('is read as it was written, for its user and surface only', () => {
    fc.assert(
      fc.property(sessions, fc.string(), fc.string(), (session, userId, other) => {
        const token = tokens.format(session, { userId, surface: 'home' })
        expect(token).toMatch(/^[\w-]{50}$/)
        expect(tokens.parse(token, { userId, surface: 'home' })).toEqual(session)
        expect(() => tokens.parse(token, { userId, surface: 'related' })).toThrow('belongs to the surface home')
        if (other === userId) return
        expect(() => tokens.parse(token, { userId: other, surface: 'home' })).toThrow('belongs to another user')
      }),
      { seed: 7 },
    )
  })

  test('a law: any other text and any changed letter is refused', () => {
    fc.assert(
      fc.property(sessions, fc.string(), fc.nat(200), (session, text, at) => {
        const token = tokens.format(session, ada)
        const place = at % token.length
        const changed = token.slice(0, place) + (token[place] === 'A' ? 'B' : 'A') + token.slice(place + 1)
        for (const forged of [text, changed, token.slice(1), `${token}A`, token + token, ''])
          expect(() => tokens.parse(forged, ada)).toThrow(/^page_token: /)
      }),
      { seed: 7 },
    )
  })

  test.each([
    ['unknown', 'hello', 'it is not a page token'],
    ['too long', 'x'.repeat(10_000), 'it is not a page token'],
    ['without a signature', Buffer.from('1.25.mbcdef.r.1x2y').toString('base64url'), 'it has no signature'],
    ['signed with another key', createPageTokens([otherKey]).format(aSession, ada), 'its signature does not fit'],
    ['altered', alter(tokens.format(aSession, ada)), 'its signature does not fit'],
    ['of another user', tokens.format(aSession, { ...ada, userId: 'bob' }), 'it belongs to another user'],
    [
      'of another surface',
      tokens.format(aSession, { ...ada, surface: 'related' }),
      'it belongs to the surface related, not to home',
    ],
  ])('%s is an error of its own', (_, token, message) => {
    let error: unknown
    try {
      tokens.parse(token, ada)
    } catch (thrown) {
      error = thrown
    }
    expect(isContractError(error, 'CALL_INVALID_ARGUMENT')).toBe(true)
    expect((error as Error).message).toContain(`page_token: ${message}`)
  })

  test('the key can be replaced while blenders run: both keys are accepted, and the first one signs', () => {
    const [before, between, after] = [
      createPageTokens([key, otherKey]),
      createPageTokens([otherKey, key]),
      createPageTokens([otherKey]),
    ]
    const [old, young] = [before.format(aSession, ada), between.format(aSession, ada)]
    for (const each of [before, between])
      for (const token of [old, young]) expect(each.parse(token, ada)).toEqual(aSession)
    expect(after.parse(young, ada)).toEqual(aSession)
    expect(() => after.parse(old, ada)).toThrow('its signature does not fit')
  })
})

/** The second page becomes the third. */
function alter(token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  bytes.writeUInt32BE(50, 3)
  return bytes.toString('base64url')
}
