import type { ProgressOutput } from '@freshet/service/progress'
import { OperationError } from './errors.ts'

/** What a command talks to. */
export interface Terminal {
  /** The command's answer. */
  write(text: string): void
  /** Progress and what is being retried. */
  readonly progress: ProgressOutput
  /** A steady clock, milliseconds. */
  nowMs(): number
  /** Aborted when the operator ends the command. */
  readonly signal: AbortSignal
}

/** This process: answers on standard output, progress on standard error, ended by SIGINT or SIGTERM. */
export function systemTerminal(): Terminal {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      ending.abort(new OperationError('INTERRUPTED', `${signal}: stopped; what was done so far stands`))
    })
  }
  return {
    write: (text) => {
      process.stdout.write(text)
    },
    progress: process.stderr,
    nowMs: () => performance.now(),
    signal: ending.signal,
  }
}
