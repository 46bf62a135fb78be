import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actions, surfaces } from '@freshet/domain/engagement'
import { place, plainText } from '../bytes/plain-engagements.ts'
import { encodeEngagement } from '../codecs/engagement.ts'
import { encodePlainEngagement } from '../codecs/plain-engagement.ts'
import { parseEngagementJson } from './engagement.ts'
import { readPlainEngagements } from './plain-reader.ts'
import { parseTime } from './time.ts'

const receivedAtMs = 1_767_225_600_000
const read = (text: string, maxEvents = 1_000) => readPlainEngagements(Buffer.from(text), maxEvents)
const plain = { eventId: 'e1', userId: 'u1', action: 'click', pinId: 'p1', occurredAt: '2026-01-31T12:00:00.000Z' }
const batchOf = (...engagements: unknown[]) => JSON.stringify({ engagements })

/** What the general parser makes of a batch: the stored bytes of each event; null: not JSON, or a problem. */
function slowly(bytes: Uint8Array): readonly Buffer[] | null {
  let body: { readonly engagements?: unknown }
  try {
    body = JSON.parse(new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(bytes)) as typeof body
  } catch {
    return null
  }
  if (typeof body !== 'object' || body === null || !Array.isArray(body.engagements)) return null
  const parsed = (body.engagements as unknown[]).map((each) => parseEngagementJson(each, ''))
  const engagements = parsed.flatMap((each) => (each.ok ? [each.engagement] : []))
  if (engagements.length < parsed.length || parsed.length === 0) return null
  return engagements.map((each) => Buffer.from(encodeEngagement(each, receivedAtMs)))
}

/** What the plain reader makes of it; null: it leaves the batch to the general parser. */
function quickly(bytes: Buffer): readonly Buffer[] | null {
  const batch = readPlainEngagements(bytes, 1_000)
  if (batch === null) return null
  return Array.from({ length: batch.count }, (_, i) => {
    const facts = { occurredAtMs: batch.occurredAtMs[i]!, receivedAtMs, userId: null, sourceTag: null }
    return Buffer.from(encodePlainEngagement(batch, i, facts))
  })
}

const id = fc.oneof(fc.stringMatching(/^[!-~]{1,12}$/), fc.constantFrom('é', 'a"b', 'a\\b', '', ' ', 'x'.repeat(129)))
const time = fc.oneof(
  fc.date({ min: new Date(1), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    '2026-02-29T00:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T24:00:00.000Z',
    '1970-01-01T00:00:00.000Z',
  ),
)
const whole = fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(-0, -1, 1.5, 1e6, 1e6 + 1, 86_400_000, 86_400_001, 1e21))
const event = fc.record(
  {
    eventId: id,
    userId: id,
    sessionId: id,
    action: fc.constantFrom(...actions, 'like'),
    pinId: id,
    boardId: fc.oneof(id, fc.constantFrom('My board', ' x', 'x ')),
    occurredAt: time,
    feedId: id,
    position: whole,
    surface: fc.constantFrom(...surfaces, 'moon'),
    dwellMs: whole,
  },
  { requiredKeys: ['eventId', 'userId', 'action', 'pinId', 'occurredAt'] },
)
const batches = fc
  .tuple(fc.array(event, { minLength: 1, maxLength: 4 }), fc.constantFrom(undefined, 1, '\t'))
  .map(([engagements, space]) => JSON.stringify({ engagements }, null, space))

describe('reading plain engagements', () => {
  test('what it reads is stored as the general parser would store it', () => {
    fc.assert(
      fc.property(batches, (text) => {
        const quick = quickly(Buffer.from(text))
        if (quick !== null) expect(quick).toEqual(slowly(Buffer.from(text)))
      }),
      { numRuns: 2_000 },
    )
  })

  test('it reads each batch of plain ids, times and numbers', () => {
    const ids = fc.stringMatching(/^[!#-[\]-~]{1,128}$/)
    const plainEvent = fc.record({
      ...plainFields(ids),
      occurredAt: fc
        .date({ min: new Date(1), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString()),
    })
    fc.assert(
      fc.property(fc.array(plainEvent, { minLength: 1, maxLength: 4 }), (engagements) => {
        const bytes = Buffer.from(JSON.stringify({ engagements }))
        expect(quickly(bytes)).toEqual(slowly(bytes))
      }),
    )
  })

  test('of bytes that were changed anywhere it reads none that the general parser refuses or reads differently', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Buffer.from('"\\{}[],: \n0-.eE\u00e91az\u0000'))), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(batches, changes, (text, changed) => {
        const bytes = Buffer.from(text)
        for (const [where, byte] of changed) bytes[where % bytes.length] = byte
        const quick = quickly(bytes)
        if (quick !== null) expect(quick).toEqual(slowly(bytes))
      }),
      { numRuns: 5_000 },
    )
  })

  test('of bytes that were cut or doubled anywhere likewise', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.nat({ max: 30 }), fc.boolean(), (text, where, length, isDoubled) => {
        const bytes = Buffer.from(text)
        const from = where % bytes.length
        const piece = bytes.subarray(from, from + length)
        const parts = isDoubled
          ? [bytes.subarray(0, from), piece, bytes.subarray(from)]
          : [bytes.subarray(0, from), bytes.subarray(from + length)]
        const changed = Buffer.concat(parts)
        const quick = quickly(changed)
        if (quick !== null) expect(quick).toEqual(slowly(changed))
      }),
      { numRuns: 5_000 },
    )
  })

  test.each([
    ['an escape', batchOf(plain).replace('e1', '\\u0065')],
    ['a character beyond ASCII', batchOf({ ...plain, eventId: 'é' })],
    ['a field twice', batchOf(plain).replace('"userId"', '"eventId":"e2","userId"')],
    ['a field that is unknown', batchOf({ ...plain, more: 1 })],
    ['a field that is missing', batchOf({ ...plain, pinId: undefined })],
    ['a colon that is missing', batchOf({ ...plain, position: 3 }).replace('"position":', '"position" ')],
    ['a weight', batchOf({ ...plain, weight: 0.5 })],
    ['a follow', batchOf({ ...plain, action: 'follow', pinId: undefined, boardId: 'b' })],
    ['a board of a click', batchOf({ ...plain, boardId: 'b' })],
    ['no events', batchOf()],
    ['a single event', JSON.stringify(plain)],
    ['a comma at the end', batchOf(plain).replace(']', ',]')],
    ['more behind the end', `${batchOf(plain)}x`],
    ['a number that begins with 0', batchOf({ ...plain, position: 7 }).replace(':7', ':07')],
    ['an offset of minus zero', `{"engagements":[${JSON.stringify(plain)}],"clockOffsetMs":-0}`],
    ['a time that is not one', `{"engagements":[${JSON.stringify(plain)}],"sentAt":"now"}`],
  ])('leaves %s to the general parser', (_name, text) => {
    expect(read(text)).toBeNull()
  })

  test('leaves a batch of too many events to the general parser', () => {
    expect(read(batchOf(plain, plain), 2)?.count).toBe(2)
    expect(read(batchOf(plain, plain), 1)).toBeNull()
  })

  test('reads what is said of the clock, before or behind the events', () => {
    const about = { sentAt: '2026-01-31T12:00:00+01:00', clockOffsetMs: -1500 }
    const sentAtMs = parseTime(about.sentAt)
    for (const body of [
      { ...about, engagements: [plain] },
      { engagements: [plain], ...about },
    ]) {
      expect(read(JSON.stringify(body, null, 2))).toMatchObject({ count: 1, sentAtMs, clockOffsetMs: -1500 })
    }
    expect(read(batchOf(plain))).toMatchObject({ sentAtMs: null, clockOffsetMs: 0 })
  })

  test('writes what the general writer writes, whatever is stored beside it, and never over what it wrote before', () => {
    const ids = fc.stringMatching(/^[!#-[\]-~]{1,128}$/)
    const facts = fc.record({
      occurredAtMs: fc.oneof(
        fc.integer({ min: 1, max: 2 ** 28 + 1 }),
        fc.integer({ min: 1, max: 253_402_300_799_999 }),
      ),
      receivedAtMs: fc.constantFrom(0, 1, 127, 2 ** 28 - 1, 2 ** 28, 2 ** 35, receivedAtMs),
      userId: fc.oneof(fc.constant(null), fc.constantFrom('u2', 'Zoë 🗝', 'x'.repeat(128))),
      sourceTag: fc.oneof(fc.constant(null), fc.constantFrom(0, 1, 2 ** 24 - 1)),
    })
    const written: { readonly quick: Uint8Array; readonly slow: Buffer }[] = []
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.record(plainFields(ids)), facts), { minLength: 20, maxLength: 20 }),
        (events) => {
          const given = events.map(([each]) => ({ ...each, occurredAt: plain.occurredAt }))
          const batch = read(batchOf(...given))!
          events.forEach(([, stored], i) => {
            const parsed = parseEngagementJson(given[i], '')
            if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
            const { engagement } = parsed
            const wanted = {
              ...engagement,
              occurredAtMs: stored.occurredAtMs,
              userId: (stored.userId ?? engagement.userId) as typeof engagement.userId,
              ...(stored.sourceTag !== null && { sourceTag: stored.sourceTag }),
            }
            const slow = Buffer.from(encodeEngagement(wanted, stored.receivedAtMs))
            const quick = encodePlainEngagement(batch, i, stored)
            if (Buffer.compare(quick, slow) !== 0) expect(Buffer.from(quick)).toEqual(slow)
            written.push({ quick, slow })
          })
        },
      ),
    )
    // More than the memory that engagements share.
    expect(written.reduce((sum, { slow }) => sum + slow.length, 0)).toBeGreaterThan(64 << 10)
    for (const { quick, slow } of written)
      if (Buffer.compare(slow, quick) !== 0) expect(Buffer.from(quick)).toEqual(slow)
  })

  test('refuses to write a time that is not a whole number', () => {
    const batch = read(batchOf(plain))!
    for (const occurredAtMs of [1.5, -1, Number.NaN, 2 ** 53, receivedAtMs + 0.5])
      expect(() =>
        encodePlainEngagement(batch, 0, { occurredAtMs, receivedAtMs, userId: null, sourceTag: null }),
      ).toThrow(RangeError)
  })

  test('writes another id of the user in its place, and the tag of the source', () => {
    const batch = read(batchOf(plain))!
    expect(plainText(batch, 0, place.userId)).toBe('u1')
    const parsed = parseEngagementJson({ ...plain, userId: 'pseudonym' }, '')
    const facts = { occurredAtMs: batch.occurredAtMs[0]!, receivedAtMs, userId: 'pseudonym', sourceTag: 7 }
    const wanted = parsed.ok && encodeEngagement({ ...parsed.engagement, sourceTag: 7 }, receivedAtMs)
    expect(Buffer.from(encodePlainEngagement(batch, 0, facts))).toEqual(Buffer.from(wanted as Uint8Array))
  })
})

function plainFields(ids: fc.Arbitrary<string>) {
  return {
    eventId: ids,
    userId: ids,
    sessionId: ids,
    action: fc.constantFrom('save', 'unsave'),
    pinId: ids,
    boardId: ids,
    feedId: ids,
    position: fc.nat({ max: 1_000_000 }),
    surface: fc.constantFrom(...surfaces),
    dwellMs: fc.nat({ max: 86_400_000 }),
  }
}
