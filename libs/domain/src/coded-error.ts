/** Who has to act: the caller, this service, or something it depends on. */
export type Fault = 'client' | 'server' | 'dependency'

/** What an error's code says about every error with this code. */
export interface ErrorKind {
  readonly fault: Fault
  /** Whether the same attempt may succeed later. */
  readonly retryable: boolean
  /** What happened, and what to do about it, in one or two sentences for the reference. */
  readonly meaning: string
  /** The exit code of a process that the error ends; absent: the process ends as if something it needs were unavailable. */
  readonly exitCode?: number
}

/** A library's errors by code. Each library has one: `{ … } as const satisfies ErrorCatalogue`. */
export type ErrorCatalogue = Readonly<Record<string, ErrorKind>>

/**
 * An error of a catalogue: expected, so it has a code. `message` is for people: what, where, and how to mend it; `cause` is
 * the error behind it. Each library derives its errors from this class and hands in the kind from its own catalogue.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code
  readonly #kind: ErrorKind

  constructor(code: Code, kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.#kind = kind
  }

  /** Whether the same attempt may succeed later. */
  get retryable(): boolean {
    return this.#kind.retryable
  }

  get fault(): Fault {
    return this.#kind.fault
  }

  /** The exit code of a process that this error ends; undefined: that of something unavailable. */
  get exitCode(): number | undefined {
    return this.#kind.exitCode
  }
}
