import { randomBytes } from 'node:crypto'
import { exitCodes } from '@freshet/service/errors'
import type { ProgressOutput } from '@freshet/service/progress'
import { OperationError } from './errors.ts'

/** Output, clock and signal of a command. */
export interface Terminal {
  /** Writes the command's answer. */
  write(text: string): void
  /** For progress and messages about retries. */
  readonly progress: ProgressOutput
  /** Monotonic clock, milliseconds. */
  nowMs(): number
  /** Aborted when the operator stops the command. */
  readonly signal: AbortSignal
}

/** This process: answers on standard output, progress on standard error, ended by SIGINT or SIGTERM. */
export function systemTerminal(): Terminal {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      ending.abort(new OperationError('INTERRUPTED', `${signal}: stopped; the work so far is kept`))
    })
  }
  // `freshet … | head`: the reader has enough.
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(exitCodes.stopped)
  })
  return {
    write: (text) => {
      process.stdout.write(text)
    },
    progress: process.stderr,
    nowMs: () => performance.now(),
    signal: ending.signal,
  }
}

/** Secure random bytes of the system, for new keys. */
export function secureRandom(bytes: number): Uint8Array {
  return randomBytes(bytes)
}
