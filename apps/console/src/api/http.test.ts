import { describe, expect, it } from 'vitest'
import { asFailure, failureOf } from './http.ts'

describe('a failure', () => {
  it.each([
    ['{"code":"PIN_UNKNOWN","message":"no pin"}', { code: 'PIN_UNKNOWN', message: 'no pin' }],
    ['{"error":{"code":"X","message":"nested"}}', { code: 'X', message: 'nested' }],
    ['{"message":"no code"}', { code: 'HTTP_404', message: 'no code' }],
    ['Not found', { code: 'HTTP_404', message: 'Not found' }],
    ['', { code: 'HTTP_404', message: 'The server answered 404.' }],
    ['null', { code: 'HTTP_404', message: 'null' }],
  ])('is read from the answer %s', (text, expected) => {
    expect(failureOf(404, text)).toEqual({ status: 404, ...expected })
  })

  it('keeps what an error of the SDK says', () => {
    const thrown = Object.assign(new Error('away'), { status: 0, code: 'NO_ANSWER' })
    expect(asFailure(thrown)).toEqual({ status: 0, code: 'NO_ANSWER', message: 'away' })
    expect(asFailure('odd')).toEqual({ status: 0, code: 'UNEXPECTED', message: 'odd' })
  })
})
