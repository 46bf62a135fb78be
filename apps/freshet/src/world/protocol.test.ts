import { describe, expect, it } from 'vitest'
import { parseWorldLine, ProtocolFault } from './protocol.ts'

const at = '2026-01-05T08:00:00.000Z'
const ask = { id: 'a1', at, userId: 'ada', surface: 'home', pageSize: 25 }

/** Why a line is refused. */
function reasonOf(line: unknown): string {
  try {
    parseWorldLine(typeof line === 'string' ? line : JSON.stringify(line))
  } catch (error) {
    if (error instanceof ProtocolFault) return error.message
    throw error
  }
  return 'accepted'
}

describe('a line of a world', () => {
  it('is an ask for a feed or for related pins', () => {
    expect(parseWorldLine(JSON.stringify({ ask }))).toEqual({ kind: 'ask', atMs: Date.parse(at), ask })
    const related = { ...ask, id: 7, surface: 'related', pinId: 'p1', locale: 'de-AT' }
    expect(parseWorldLine(JSON.stringify({ ask: related }))).toEqual({
      kind: 'ask',
      atMs: Date.parse(at),
      ask: related,
    })
  })

  it('is a report, which stays as it was written', () => {
    expect(parseWorldLine('{"report": {"share": 0.50, "days": [1]} }')).toEqual({
      kind: 'report',
      text: '{"share": 0.50, "days": [1]}',
    })
  })

  it.each([
    ['{"tick": ', /is not JSON/],
    [[], /is not a JSON object/],
    [{}, /has the keys \(none\)/],
    [{ tick: { at }, end: {} }, /has the keys tick, end; give an object with one key/],
    [{ tock: { at } }, /unknown key "tock"; keys are pin, engagement, ask, tick, report, end/],
    [{ end: 1 }, /^end: /],
    [{ tick: { at: '5 January' } }, /^tick\.at: is "5 January"; give an RFC 3339 time/],
    [{ tick: {} }, /^tick\.at: expected string/],
    [{ ask: { ...ask, pageSize: 0, userId: '' } }, /ask\.userId: .*; ask\.pageSize: /],
    [{ ask: { ...ask, pageSize: 101 } }, /ask\.pageSize: /],
    [{ ask: { ...ask, locale: 'german!' } }, /ask\.locale: is "german!", which is not BCP 47/],
    [{ ask: { ...ask, mood: 'good' } }, /mood/],
    [{ ask: { ...ask, pinId: 'p1' } }, /ask\.pinId: .*surface related/],
    [{ ask: { ...ask, surface: 'related' } }, /ask\.pinId: /],
    [{ pin: { pinId: 'p1', topic: 'x' } }, /topic/],
    [{ engagement: { eventId: 'e', userId: 'u', action: 'look', pinId: 'p', occurredAt: at } }, /action/],
  ])('is refused with the field and the reason: %j', (line, reason) => {
    expect(reasonOf(line)).toMatch(reason)
  })
})
