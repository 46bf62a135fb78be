import { wholeWeight, type Engagement } from '@freshet/domain/engagement'
import { asId, type BoardId, type EventId, type PinId, type SessionId, type UserId } from '@freshet/domain/ids'
import { engagements } from '@freshet/domain/testing'
import { defaultUserLimits, foldUser, newUserState, type UserLimits } from '@freshet/domain/user-state'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import { encodeEngagement } from './engagement.ts'
import {
  isScannedPinKey,
  scanEngagement,
  scanPinEngagement,
  scannedOf,
  scannedPinKeys,
  textAt,
  type ScannedEngagement,
  subjectKinds,
} from './engagement-scan.ts'
import { pinStateKeys } from '@freshet/domain/pin-state'
import { decodePinEngagement, decodeReceivedEngagement, encodePinEngagement, encodePinEngagementOf } from './onward.ts'
import { UserState } from '../gen/freshet/state/v1/state.ts'
import { decodeUserState, encodeUserState, hasWords, withoutTail } from './user-state.ts'
import {
  actOfScan,
  appendBytesAtMost,
  encodeUserTail,
  fullTailBytes,
  tailBytesAtMost,
  tailBytesIn,
  userStateVersion,
  weightsVersion,
  wordsVersion,
} from './user-tail.ts'

const small: UserLimits = {
  maxRecentActions: 7,
  maxRelationsPerKind: 2,
  maxOlderRelations: 3,
  maxBoards: 2,
  seen: { maxRecent: 5, generationMs: 600_000, maxPerGeneration: 6 },
  sessions: { gapMs: 60_000, maxKept: 3 },
}

/** Engagements as the updater accepts them, some with ids that are not ASCII. */
const accepted = fc.tuple(engagements(), fc.nat(3)).map(([list, odd]) =>
  list.map((engagement, i): ScannedEngagement => {
    const given: Engagement =
      odd === 0 && engagement.subject.kind === 'pin'
        ? { ...engagement, subject: { kind: 'pin', pinId: asId<PinId>(`ü${i % 4}`) } }
        : engagement
    return scannedOf({ engagement: given, receivedAtMs: given.occurredAtMs })
  }),
)

const isWeighted = ({ weight }: ScannedEngagement): boolean => weight !== wholeWeight

function aWord(action: 'block' | 'unblock', word: string): ScannedEngagement {
  const engagement: Engagement = {
    eventId: asId<EventId>('e'),
    userId: asId<UserId>('u'),
    sessionId: null,
    action,
    subject: { kind: 'word', word },
    boardId: null,
    occurredAtMs: 1_700_000_000_000,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  }
  return scannedOf({ engagement, receivedAtMs: 0 })
}

/** Where to split a list, and which of its parts to write whole instead of appending them. */
const cuts = fc.array(fc.tuple(fc.nat(9), fc.boolean()), { minLength: 1, maxLength: 30 })

function appended(value: Uint8Array | null, part: readonly ScannedEngagement[], limits: UserLimits): Uint8Array {
  const tail = encodeUserTail(part, tailBytesIn(value), limits)
  expect(tail.tailBytes).toBe(tailBytesIn(tail.bytes))
  return value === null ? tail.bytes : Uint8Array.from([...value, ...tail.bytes])
}

describe('what is appended to a user', () => {
  it('leads to the same bytes as folding everything in one step, however it is split and wherever it is written whole', () => {
    for (const limits of [small, defaultUserLimits]) {
      fc.assert(
        fc.property(accepted, cuts, (list, parts) => {
          let value: Uint8Array | null = null
          let from = 0
          for (let i = 0; from < list.length; i++) {
            const [length, whole] = parts[i % parts.length] ?? [1, false]
            const part = list.slice(from, from + length + 1)
            from += part.length
            const base: Uint8Array | null = value
            if (whole || tailBytesIn(base) === fullTailBytes) {
              const state = base === null ? newUserState : decodeUserState(base)
              value = encodeUserState(foldUser(state, part.map(actOfScan), limits), limits)
            } else value = appended(base, part, limits)
          }
          if (value === null) return
          const at = foldUser(newUserState, list.map(actOfScan), limits)
          expect(decodeUserState(value)).toEqual(decodeUserState(encodeUserState(at, limits)))
          expect(withoutTail(value)).toEqual(encodeUserState(at))
        }),
      )
    }
  })

  it('is folded once for each append: reading changes nothing', () => {
    fc.assert(
      fc.property(accepted, (list) => {
        fc.pre(list.length > 0)
        const value = appended(null, list, small)
        expect(withoutTail(withoutTail(value))).toEqual(withoutTail(value))
        expect(decodeUserState(value)).toEqual(decodeUserState(value))
      }),
    )
  })

  it('takes no more room than the stated maximum', () => {
    fc.assert(
      fc.property(accepted, (list) => {
        const { bytes, tailBytes } = encodeUserTail(list, 0, small)
        const words = list.some(({ subjectKind }) => subjectKinds[subjectKind] === 'word')
        expect(tailBytes).toBe(words || list.some(isWeighted) ? fullTailBytes : bytes.length)
        expect(bytes.length).toBeLessThanOrEqual(
          list.reduce((sum, scan) => sum + tailBytesAtMost(scan), appendBytesAtMost),
        )
      }),
    )
  })

  it('never hides from an older release that the value has words or weights: the layout is 5 or 6 as long as it has some', () => {
    const word = (action: 'block' | 'unblock') => aWord(action, 'cats')
    const withWords = fc
      .tuple(accepted, fc.array(fc.tuple(fc.nat(9), fc.constantFrom('block', 'unblock'))))
      .map(([list, words]) => words.reduce((all, [at, action]) => all.toSpliced(at, 0, word(action)), [...list]))
    let had = 0
    let weighed = 0
    fc.assert(
      fc.property(withWords, cuts, (list, parts) => {
        let value: Uint8Array | null = null
        let state = newUserState
        for (let from = 0, i = 0; from < list.length; i++) {
          const part = list.slice(from, from + (parts[i % parts.length]?.[0] ?? 0) + 1)
          from += part.length
          state = foldUser(state, part.map(actOfScan), defaultUserLimits)
          // As the updater does: it appends to a value of which it knows the end alone, unless that says that the tail is full.
          const isWhole: boolean = tailBytesIn(value) === fullTailBytes
          value = isWhole ? encodeUserState(state) : appended(value, part, defaultUserLimits)
          const weights = !isWhole && part.some(isWeighted)
          weighed += Number(weights)
          const words = hasWords(state)
          had += Number(words)
          const { version } = UserState.decode(value)
          const special = weights ? weightsVersion : wordsVersion
          if (words || weights) expect(version).toBe(special)
          // A value of layout 5 or 6 is never appended to, not even by an earlier release, so that it keeps its layout.
          expect(version).toBe(tailBytesIn(value) === fullTailBytes ? special : userStateVersion)
          expect(withoutTail(value)).toEqual(encodeUserState(state))
        }
      }),
    )
    expect(had).toBeGreaterThan(100)
    expect(weighed).toBeGreaterThan(10)
  })

  it('is refused by a reader of an older layout, even after a value of that layout, and read by this one', () => {
    const [one] = fc.sample(
      accepted.filter((list) => list.length > 0 && !list.some(isWeighted)),
      { numRuns: 1, seed: 1 },
    )
    for (const base64 of [layout1, layout2]) {
      const old = Buffer.from(base64, 'base64')
      expect(tailBytesIn(old)).toBe(0)
      const value = appended(old, one ?? [], defaultUserLimits)
      expect(value[old.length]).toBe(8)
      expect(value[old.length + 1]).toBe(4)
      expect(decodeUserState(value)).toEqual(foldUser(decodeUserState(old), (one ?? []).map(actOfScan)))
    }
  })

  it('if damaged, is read or refused with CODEC_INVALID or CODEC_NEWER, and never with another error', () => {
    fc.assert(
      fc.property(
        accepted,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (list, edits) => {
          const value = Uint8Array.from(appended(null, list, small))
          for (const [at, byte] of edits) value[at % value.length] = byte
          try {
            decodeUserState(value)
          } catch (error) {
            expect(isContractError(error) ? error.code : error, String(error)).toMatch(/^CODEC_(INVALID|NEWER)$/)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a scan', () => {
  const plainOnes = engagements(undefined, 5)

  it('finds what the decoder finds, and leads to the same bytes as the encoder', () => {
    fc.assert(
      fc.property(plainOnes, fc.nat(2 ** 40), (list, receivedAtMs) => {
        for (const engagement of list) {
          const bytes = encodeEngagement(engagement, receivedAtMs)
          const scan = scanEngagement(bytes)
          if (scan === null) throw new Error('a plain engagement was not scanned')
          expect(actOfScan(scan)).toMatchObject({
            action: engagement.action,
            subject: engagement.subject,
            boardId: engagement.boardId,
            sessionId: engagement.sessionId,
            occurredAtMs: engagement.occurredAtMs,
            dwellMs: engagement.dwellMs,
            shown: { surface: engagement.shown.surface },
          })
          expect(textAt(bytes, scan.userAt, scan.userTo)).toBe(engagement.userId)
          expect(textAt(bytes, scan.eventAt, scan.eventTo)).toBe(engagement.eventId)
          expect(scan.receivedAtMs).toBe(receivedAtMs)
          const keys = pinStateKeys(engagement)
          expect(scannedPinKeys(scan)).toEqual(keys)
          const tried = [...keys, ...keys.map((key) => `${key}x`), ...keys.map((key) => key.slice(1)), '']
          for (const key of tried) {
            for (let index = 0; index < 3; index++) expect(isScannedPinKey(key, index, scan)).toBe(keys[index] === key)
          }
          const source = { partition: 3, position: 2 ** 40, index: 1 }
          const onward = encodePinEngagementOf(bytes, source)
          expect(onward).toEqual(encodePinEngagement({ engagement, receivedAtMs, source }))
          expect(scanPinEngagement(onward)?.source).toEqual(source)
        }
      }),
    )
  })

  /** The stated length of its engagement ends before the last number does. */
  const endsWithinItsMessage: [readonly Engagement[], [number, number][], number] = [
    [
      {
        eventId: asId<EventId>('e'),
        userId: asId<UserId>('u0'),
        sessionId: asId<SessionId>('s0'),
        action: 'follow',
        subject: { kind: 'board', boardId: asId<BoardId>('b1') },
        boardId: null,
        occurredAtMs: 1_700_049_600_000,
        shown: { feedId: null, position: 0, surface: 'home' },
        dwellMs: 15_360,
      },
    ],
    [[1_833_073_548, 0]],
    1,
  ]

  it('of arbitrary bytes is null or agrees with the decoder', () => {
    const mutated = fc.tuple(plainOnes, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(9))
    let scannedSome = 0
    fc.assert(
      fc.property(mutated, ([list, edits, cut]) => {
        for (const engagement of list) {
          const whole = encodePinEngagement({
            engagement,
            receivedAtMs: 5,
            source: { partition: 1, position: 2, index: 0 },
          })
          const bytes = whole.slice(0, cut === 0 ? whole.length - 3 : whole.length)
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte
          const scanned = scanPinEngagement(bytes)
          if (scanned === null) continue
          scannedSome++
          const decoded = decodePinEngagement(bytes)
          expect(scanned.source).toEqual(decoded.source)
          expect(scannedPinKeys(scanned.scan)).toEqual(pinStateKeys(decoded.engagement))
          expect(scanned.scan).toMatchObject({
            action: decoded.engagement.action,
            occurredAtMs: decoded.engagement.occurredAtMs,
            receivedAtMs: decoded.receivedAtMs,
            dwellMs: decoded.engagement.dwellMs ?? -1,
            position: decoded.engagement.shown.position ?? -1,
          })
        }
      }),
      { numRuns: 1000, examples: [[endsWithinItsMessage]] },
    )
    expect(scannedSome).toBeGreaterThan(100)
  })

  it('leaves what is not plain to the decoder', () => {
    const odd = encodeEngagement(
      {
        eventId: asId<EventId>('é'),
        userId: asId<UserId>('u'),
        sessionId: null,
        action: 'click',
        subject: { kind: 'pin', pinId: asId<PinId>('p') },
        boardId: null,
        occurredAtMs: 1,
        shown: { feedId: null, position: null, surface: null },
        dwellMs: null,
      },
      1,
    )
    expect(scanEngagement(odd)).toBeNull()
    expect(scannedOf(decodeReceivedEngagement(odd))).toMatchObject({ action: 'click', occurredAtMs: 1 })
    for (const bytes of [new Uint8Array(0), Uint8Array.of(255), odd.subarray(0, 5)])
      expect(scanEngagement(bytes)).toBeNull()
  })
})

const layout1 = 'CAESA2IKcBoMgPzolr0xgPzolr0xIgIBACoBIzIGgPzolr0x'
const layout2 =
  'CAIaDID86Ja9MYD86Ja9MSICAQAqASMyBoD86Ja9MToBAUIBA0otCgEDEgaA/OiWvTEaIAAAAAAAAPA/AAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/agEAcgaA/OiWvTF6CAAAAAAAAPA/ggEE4oqLoYoBBcDl0qoGkgEKCPoVEgUBE4krDqIBB4D86Ja9MQDCAQoBAAAAAAFiAAFwzQEAABV6'
