import { endingOf, exitCodes } from '@freshet/service/errors'

/** Errors that answer a command's question with no: the command worked. */
const answersNo: ReadonlySet<string> = new Set(['USER_UNKNOWN', 'USER_ERASED', 'PIN_UNKNOWN', 'FEED_MISSING'])

/** The line and the exit code with which the failure of a command ends the process. */
export function failureOf(error: unknown): { readonly line: string; readonly exitCode: number } {
  const { line, exitCode } = endingOf(error)
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && answersNo.has(code)) return { line, exitCode: 1 }
  if (code === 'GENERATION' || code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
    return { line, exitCode: exitCodes.unavailable }
  return { line, exitCode }
}

/** Writes one line to standard error and ends the process with the exit code of the error. */
export function reportAndExit(error: unknown): never {
  const { line, exitCode } = failureOf(error)
  process.stderr.write(`freshet: ${line}\n`)
  process.exit(exitCode)
}
