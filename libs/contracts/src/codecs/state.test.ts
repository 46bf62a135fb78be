import { actions, type Action, type Engagement } from '@freshet/domain/engagement'
import {
  asId,
  type BoardId,
  type CreatorId,
  type EventId,
  type PinId,
  type SessionId,
  type UserId,
} from '@freshet/domain/ids'
import { foldRelations, noRelations } from '@freshet/domain/features/relations'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { defaultUserLimits, foldUser, newUserState } from '@freshet/domain/user-state'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import {
  PinFeatures as PinFeaturesMessage,
  PinState as PinStateMessage,
  UserState as UserStateMessage,
} from '../gen/freshet/state/v1/state.ts'
import { decodePartitionMeta, encodePartitionMeta, newPartitionMeta } from './partition-meta.ts'
import { decodePinFeatures, decodePinState, encodePinFeatures, encodePinState } from './pin-state.ts'
import { decodeUserState, encodeUserState } from './user-state.ts'

const startMs = 1_700_049_600_000

const someEngagements: fc.Arbitrary<readonly Engagement[]> = fc.array(
  fc
    .record({
      action: fc.constantFrom(...actions),
      pin: fc.nat(20),
      user: fc.nat(300),
      session: fc.option(fc.nat(9)),
      afterMs: fc.nat(30 * 86_400_000),
      board: fc.option(fc.nat(5)),
      position: fc.option(fc.nat(50)),
      dwellMs: fc.option(fc.nat(1_000_000)),
      surface: fc.constantFrom(null, 'home' as const, 'related' as const),
    })
    .map(({ action, pin, user, session, afterMs, board, position, dwellMs, surface }): Engagement => ({
      eventId: asId<EventId>('e'),
      userId: asId<UserId>(`u${user}`),
      sessionId: session === null ? null : asId<SessionId>(`s${session}`),
      action,
      subject: isAboutCreator(action)
        ? { kind: 'creator', creatorId: asId<CreatorId>(`c${pin}ü`) }
        : { kind: 'pin', pinId: asId<PinId>(`p${pin}`) },
      boardId: board === null ? null : asId<BoardId>(`b${board}`),
      occurredAtMs: startMs + afterMs,
      shown: { feedId: null, position, surface },
      dwellMs,
    })),
  { maxLength: 80 },
)

function isAboutCreator(action: Action): boolean {
  return ['follow', 'unfollow', 'block', 'unblock'].includes(action)
}

// With a low limit on relations by id, the state stores the others by hash.
const userStates = fc
  .tuple(someEngagements, fc.constantFrom(1000, 2, 1))
  .map(([list, maxRelationsPerKind]) => foldUser(newUserState, list, { ...defaultUserLimits, maxRelationsPerKind }))
const pinStates = someEngagements.map((list) => foldPin(newPinState, list))

/** Bytes with some of them changed, cut or doubled. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  return fc.tuple(edits, fc.nat()).map(([changes, cut]) => {
    const copy = bytes.slice(0, cut % 3 === 0 ? cut % (bytes.length + 1) : bytes.length)
    for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value
    return copy
  })
}

function decodesOrRefuses(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    expect(isContractError(error) ? error.code : error, String(error)).toMatch(/^CODEC_(INVALID|NEWER)$/)
  }
}

describe('stored state', () => {
  it('of users decodes to what was encoded, and encodes to the same bytes again', () => {
    fc.assert(
      fc.property(userStates, (state) => {
        const bytes = encodeUserState(state)
        expect(decodeUserState(bytes)).toEqual(state)
        expect(encodeUserState(decodeUserState(bytes))).toEqual(bytes)
      }),
    )
  })

  it('A13: takes at most 13 bytes for each hide beyond those stored by id, and holds any number of them within its limits', () => {
    const hides = Array.from({ length: 30_000 }, (_, i) => ({
      kind: 'hide-pin' as const,
      id: `pin-${i}`,
      atMs: startMs + i * 3_600_000,
      stands: i % 7 > 0,
    }))
    const limits = { maxRelationsPerKind: 10, maxOlderRelations: 20_000 }
    const relations = foldRelations(noRelations, hides, limits)
    const bytes = encodeUserState({ ...newUserState, relations })
    expect(decodeUserState(bytes).relations).toEqual(relations)
    expect(bytes.length).toBeLessThan(13 * 20_000)
    expect(bytes.length).toBeGreaterThan(10 * 20_000)
  })

  it('of pins is read as it was written, alone and as published', () => {
    fc.assert(
      fc.property(pinStates, (state) => {
        const bytes = encodePinState(state)
        expect(decodePinState(bytes)).toEqual(state)
        const published = encodePinFeatures('p', state, 17)
        expect(published.stored).toEqual(bytes)
        expect(decodePinFeatures(published.features)).toEqual({ pinId: 'p', state, foldedTo: 17 })
      }),
    )
  })

  it('keeps no reference to the decoded bytes, which their owner may overwrite', () => {
    const overwritten = <State>(bytes: Uint8Array, decode: (bytes: Uint8Array) => State, offset: number): State => {
      const owned = Buffer.alloc(bytes.length + offset).fill(bytes, offset)
      const state = decode(owned.subarray(offset))
      owned.fill(255)
      return state
    }
    fc.assert(
      fc.property(userStates, pinStates, fc.nat(8), (user, pin, offset) => {
        expect(overwritten(encodeUserState(user), decodeUserState, offset)).toEqual(user)
        expect(overwritten(encodePinState(pin), decodePinState, offset)).toEqual(pin)
      }),
    )
  })

  it('of partitions is read as it was written', () => {
    const meta = {
      watermarkMs: startMs,
      counts: { applied: 5, duplicate: 4, late: 3, deadLettered: 2, erased: 1, tombstone: 6, lost: 7, handover: 3 },
      highWaterMarks: new Map([
        [0, { position: 0, index: 1 }],
        [7, { position: 2 ** 40, index: 2 }],
      ]),
      notFolded: [
        { from: 20, to: 21, reason: 'erased' as const },
        { from: 2 ** 41, to: 2 ** 41 + 7, reason: 'lost' as const },
      ],
      knownFrom: 17,
      sourceMarks: new Map([['Vd6X/3', 2 ** 41]]),
    }
    expect(decodePartitionMeta(encodePartitionMeta(meta))).toEqual(meta)
    expect(decodePartitionMeta(encodePartitionMeta(newPartitionMeta))).toEqual(newPartitionMeta)
    expect(decodePartitionMeta(null)).toEqual(newPartitionMeta)
  })

  it('is written as the generated code writes it', () => {
    fc.assert(
      fc.property(userStates, pinStates, (user, pin) => {
        const [userBytes, pinBytes] = [encodeUserState(user), encodePinState(pin)]
        expect(UserStateMessage.encode(UserStateMessage.decode(userBytes)).finish()).toEqual(userBytes)
        expect(PinStateMessage.encode(PinStateMessage.decode(pinBytes)).finish()).toEqual(pinBytes)
        const published = encodePinFeatures('p', pin, 2 ** 40).features
        expect(PinFeaturesMessage.encode(PinFeaturesMessage.decode(published)).finish()).toEqual(published)
      }),
    )
  })

  it('refuses damaged bytes with CODEC_INVALID, or reads them: it never throws anything else', () => {
    fc.assert(
      fc.property(
        userStates.chain((state) => damaged(encodeUserState(state))),
        (bytes) => decodesOrRefuses(() => decodeUserState(bytes)),
      ),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(
        pinStates.chain((state) => damaged(encodePinState(state))),
        (bytes) => {
          decodesOrRefuses(() => decodePinState(bytes))
          decodesOrRefuses(() => decodePartitionMeta(bytes))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('of a newer layout is refused, not guessed', () => {
    expect(() => decodeUserState(Uint8Array.of(8, 7))).toThrow(/layout 7/)
    expect(() => decodePinState(Uint8Array.of(8, 2))).toThrow(/layout 2/)
  })

  it('of every version is still read', () => {
    const state = foldUser(newUserState, [
      {
        sessionId: null,
        action: 'save',
        subject: { kind: 'pin', pinId: asId<PinId>('p') },
        boardId: asId<BoardId>('b'),
        occurredAtMs: startMs,
        shown: { feedId: null, position: 3, surface: 'home' },
        dwellMs: 300,
      },
    ])
    expect(decodeUserState(Buffer.from(firstUserState, 'base64'))).toEqual(state)
    expect(decodeUserState(Buffer.from(secondUserState, 'base64'))).toEqual(state)
    expect(decodeUserState(Buffer.from(thirdUserState, 'base64'))).toEqual(state)
    expect(decodeUserState(Buffer.from(fourthUserState, 'base64'))).toEqual(state)
    const limits = { ...defaultUserLimits, seen: { ...defaultUserLimits.seen, maxRecent: 56 } }
    expect(Buffer.from(encodeUserState(state, limits)).toString('base64')).toBe(fourthUserState)
  })
})

const firstUserState =
  'CAESA2IKcBoMgPzolr0xgPzolr0xIgIBACoBIzIGgPzolr0xOgEBQgEDSi0KAQMSBoD86Ja9MRogAAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/AAAAAAAA8D9qAQByBoD86Ja9MXoIAAAAAAAA8D+CAQTiiouhigEFwOXSqgaSAQoI+hUSBQETiSsOogEHgPzolr0xAA=='

const secondUserState =
  'CAIaDID86Ja9MYD86Ja9MSICAQAqASMyBoD86Ja9MToBAUIBA0otCgEDEgaA/OiWvTEaIAAAAAAAAPA/AAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/agEAcgaA/OiWvTF6CAAAAAAAAPA/ggEE4oqLoYoBBcDl0qoGkgEKCPoVEgUBE4krDqIBB4D86Ja9MQDCAQoBAAAAAAFiAAFwzQEAABV6'

const thirdUserState =
  'CAMaDID86Ja9MYD86Ja9MSICAQAqBB8BASMyBoD86Ja9MToCAQFCAgEDSi0KAQMSBoD86Ja9MRogAAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/AAAAAAAA8D9qAQByBoD86Ja9MXoIAAAAAAAA8D+CAQTiiouhigEFwOXSqgaSAQoI+hUSBQETiSsOogEHgPzolr0xAMIBCwABAAAAAQIBYgFwzQEAABV6'

const fourthUserState =
  'CAQaDID86Ja9MYD86Ja9MSICAQAqBB8BASMyBoD86Ja9MToCAQFCAgEDSi0KAQMSBoD86Ja9MRogAAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/AAAAAAAA8D9qAQByBoD86Ja9MXoIAAAAAAAA8D+CAQTiiouhigEFwOXSqgaSAQoI+hUSBQETiSsOogEHgPzolr0xAMIBCwABAAAAAQIBYgFwzQEAABV6'
