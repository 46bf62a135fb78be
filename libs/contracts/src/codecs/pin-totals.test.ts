import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { totalsOf } from '@freshet/domain/features/pin-totals'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { engagements } from '@freshet/domain/testing'
import { isContractError } from '../errors.ts'
import { encodePinState } from './pin-state.ts'
import { pinTotalsIn } from './pin-totals.ts'

describe('the totals in a stored pin state', () => {
  it('law: they are those of the decoded state', () => {
    fc.assert(
      fc.property(engagements(), (list) => {
        const state = foldPin(newPinState, list)
        expect(pinTotalsIn(encodePinState(state))).toEqual(totalsOf(state))
      }),
    )
  })

  it('law: bytes that are cut or changed give finite totals or CODEC_INVALID', () => {
    fc.assert(
      fc.property(engagements(), fc.nat(), fc.nat(255), fc.boolean(), (list, at, byte, isCut) => {
        const bytes = encodePinState(foldPin(newPinState, list)).slice()
        bytes[at % bytes.length] = byte
        try {
          expect(pinTotalsIn(isCut ? bytes.subarray(0, at % bytes.length) : bytes).every(Number.isFinite)).toBe(true)
        } catch (error) {
          if (!isContractError(error)) throw error
          expect(error.code).toBe('CODEC_INVALID')
        }
      }),
    )
  })
})
