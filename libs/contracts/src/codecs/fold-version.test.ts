import { asId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { defaultUserLimits, foldUser, newUserState } from '@freshet/domain/user-state'
import type { Engagement } from '@freshet/domain/engagement'
import { describe, expect, it } from 'vitest'
import { PinState, UserState } from '../gen/freshet/state/v1/state.ts'
import { scannedOf } from './engagement-scan.ts'
import {
  decodePinState,
  encodePinFeatures,
  encodePinState,
  pinFoldVersion,
  refuseNewerPinFeatures,
} from './pin-state.ts'
import { decodeUserState, encodeUserState } from './user-state.ts'
import { encodeUserTail, tailBytesIn, tailMarkBytes, userFoldVersion, userFoldVersionIn } from './user-tail.ts'

const click: Engagement = {
  eventId: asId<EventId>('e'),
  userId: asId<UserId>('u'),
  sessionId: null,
  action: 'click',
  subject: { kind: 'pin', pinId: asId<PinId>('p') },
  boardId: null,
  occurredAtMs: 1_700_000_000_000,
  shown: { feedId: null, position: 1, surface: 'home' },
  dwellMs: null,
}
const user = foldUser(newUserState, [click])
const pin = foldPin(newPinState, [{ ...click, userId: 'u' }])
const newer = (what: 'layout' | 'fold') =>
  expect.objectContaining({ code: 'CODEC_NEWER', message: expect.stringContaining(`has ${what}`) as string }) as Error
const endOf = (bytes: Uint8Array) => bytes.subarray(bytes.length - tailMarkBytes)

describe('the fold version of a state', () => {
  it('is 1 in old values, which have no fold version, and the decoder reads them', () => {
    const bytes = encodeUserState(user)
    expect(UserState.decode(bytes).foldVersion).toBe(0)
    expect(decodeUserState(bytes)).toEqual(user)
    expect(PinState.decode(encodePinState(pin)).foldVersion).toBe(0)
  })

  it('that is newer than the reader is refused with CODEC_NEWER, so that no reader applies other rules', () => {
    const future = encodeUserState(user, defaultUserLimits, userFoldVersion + 1)
    expect(() => decodeUserState(future)).toThrow(newer('fold'))
    const ofPin = PinState.encode({ ...PinState.decode(encodePinState(pin)), foldVersion: pinFoldVersion + 1 }).finish()
    expect(() => decodePinState(ofPin)).toThrow(newer('fold'))
  })

  it('of a user is in the last bytes of the value; values of layout 1 have the first', () => {
    expect(userFoldVersionIn(encodeUserState(user))).toBe(userFoldVersion)
    expect(userFoldVersionIn(encodeUserState(user, defaultUserLimits, 7))).toBe(7)
    const { bytes } = encodeUserTail([scannedOf({ engagement: click, receivedAtMs: 0 })], 0, defaultUserLimits)
    expect(userFoldVersionIn(Uint8Array.from([...encodeUserState(user), ...bytes]))).toBe(userFoldVersion)
    expect(userFoldVersionIn(UserState.encode(UserState.fromPartial({ version: 1 })).finish())).toBe(1)
  })

  it('is refused in the same way in a newer layout', () => {
    const ofUser = UserState.encode({ ...UserState.decode(encodeUserState(user)), version: 9 }).finish()
    expect(() => decodeUserState(ofUser)).toThrow(newer('layout'))
    const ofPin = PinState.encode({ ...PinState.decode(encodePinState(pin)), version: 9 }).finish()
    expect(() => decodePinState(ofPin)).toThrow(newer('layout'))
    expect(() => {
      refuseNewerPinFeatures({ state: ofPin, foldVersion: 0 })
    }).toThrow(newer('layout'))
  })

  it('that no version of this code can have written is damage and not a newer version, so that it stops nothing', () => {
    const ofPin = { ...PinState.decode(encodePinState(pin)), version: 9_999 }
    expect(() => decodePinState(PinState.encode(ofPin).finish())).toThrow(
      expect.objectContaining({ code: 'CODEC_INVALID' }) as Error,
    )
  })

  it('is part of the end of a value, so that the updater does not append to a value of another version', () => {
    const own = encodeUserState(user)
    expect(tailBytesIn(endOf(own))).toBe(0)
    const tail = encodeUserTail([scannedOf({ engagement: click, receivedAtMs: 0 })], 0, defaultUserLimits)
    expect(tailBytesIn(endOf(tail.bytes))).toBe(tail.tailBytes)
    const future = encodeUserState(user, defaultUserLimits, userFoldVersion + 1)
    expect(tailBytesIn(endOf(future))).toBe(Number.POSITIVE_INFINITY)
  })

  it('of published features is known without decoding the state', () => {
    const { features } = encodePinFeatures('p', pin, 1)
    expect(features.length).toBeGreaterThan(0)
    const state = encodePinState(pin)
    expect(() => {
      refuseNewerPinFeatures({ state, foldVersion: 0 })
    }).not.toThrow()
    expect(() => {
      refuseNewerPinFeatures({ state, foldVersion: pinFoldVersion + 1 })
    }).toThrow(newer('fold'))
  })
})
