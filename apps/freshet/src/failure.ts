import { endingOf } from '@freshet/service/errors'

/** Writes one line to standard error and ends the process with the code that fits. */
export function reportAndExit(error: unknown): never {
  const { line, exitCode } = endingOf(error)
  process.stderr.write(`freshet: ${line}\n`)
  process.exit(exitCode)
}
