import { describe, expect, it } from 'vitest'
import { CodedError, type ErrorCatalogue } from './coded-error.ts'

const catalogue = {
  DOOR_LOCKED: { fault: 'client', retryable: true, meaning: 'The door is locked; unlock it.', exitCode: 3 },
  DOOR_GONE: { fault: 'server', retryable: false, meaning: 'There is no door.' },
} as const satisfies ErrorCatalogue

class DoorError extends CodedError<keyof typeof catalogue> {
  constructor(code: keyof typeof catalogue, message: string, options?: ErrorOptions) {
    super(code, catalogue[code], message, options)
  }
}

describe('CodedError', () => {
  it('carries code, kind, message and cause, and the name of its class', () => {
    const cause = new Error('key lost')
    const error = new DoorError('DOOR_LOCKED', 'the front door is locked', { cause })
    expect(error).toBeInstanceOf(Error)
    expect({ ...pick(error), cause: error.cause }).toEqual({
      name: 'DoorError',
      code: 'DOOR_LOCKED',
      message: 'the front door is locked',
      fault: 'client',
      retryable: true,
      exitCode: 3,
      cause,
    })
    expect(pick(new DoorError('DOOR_GONE', 'no door')).exitCode).toBeUndefined()
  })
})

function pick({ name, code, message, fault, retryable, exitCode }: DoorError) {
  return { name, code, message, fault, retryable, exitCode }
}
