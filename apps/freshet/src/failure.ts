import { endingOf, exitCodes } from '@freshet/service/errors'

/** Errors that answer a command's question with "no". The command itself worked. */
const negativeAnswers: ReadonlySet<string> = new Set(['USER_UNKNOWN', 'USER_ERASED', 'PIN_UNKNOWN', 'FEED_MISSING'])

/** The line and the exit code for a command that failed. */
export function describeFailure(error: unknown): { readonly line: string; readonly exitCode: number } {
  const { line, exitCode } = endingOf(error)
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && negativeAnswers.has(code)) return { line, exitCode: 1 }
  if (code === 'GENERATION' || code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
    return { line, exitCode: exitCodes.unavailable }
  return { line, exitCode }
}

/** Writes the error to standard error as one line and ends the process with its exit code. */
export function reportAndExit(error: unknown): never {
  const { line, exitCode } = describeFailure(error)
  process.stderr.write(`freshet: ${line}\n`)
  process.exit(exitCode)
}
