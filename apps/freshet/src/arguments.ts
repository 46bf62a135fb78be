import { CodedError } from '@freshet/domain/coded-error'
import { argumentErrorCatalogue } from './operations/errors.ts'

/** An argument that cannot be used. The message names it and says what is allowed. */
export class ArgumentError extends CodedError<'ARGUMENT_INVALID'> {
  constructor(message: string) {
    super('ARGUMENT_INVALID', argumentErrorCatalogue.ARGUMENT_INVALID, message)
  }
}

/** Parses a whole number from `min` to `max`. Throws an ArgumentError. */
export function whole(text: string, name: string, min: number, max: number): number {
  const value = text === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new ArgumentError(`${name} is ${text}; give a whole number from ${min} to ${max}`)
  return value
}

/** Throws an ArgumentError. For use in expressions. */
export function refuse(message: string): never {
  throw new ArgumentError(message)
}

/** Whether a text is the URL of a web server. `localhost:9464` is not: its scheme would be `localhost`. */
export function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
