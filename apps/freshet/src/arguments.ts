/** An argument that can't be used; the message names it and says what would do. */
export class ArgumentError extends Error {
  readonly code = 'ARGUMENT_INVALID'
  constructor(message: string) {
    super(message)
    this.name = 'ArgumentError'
  }
}

/** A whole number between bounds from an argument's text. Throws an ArgumentError. */
export function whole(text: string, name: string, min: number, max: number): number {
  const value = text === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new ArgumentError(`${name} is ${text}; give a whole number from ${min} to ${max}`)
  return value
}

/** Throws an ArgumentError where a value is wanted. */
export function refuse(message: string): never {
  throw new ArgumentError(message)
}
