import { endingOf, exitCodes } from '@freshet/service/errors'
import { ArgumentError } from './arguments.ts'
import { RecordingError } from './evaluation/recording.ts'
import { ImportError } from './import/problem.ts'
import { OperationError } from './operations/errors.ts'

/** Errors with which a command ends as it should, and says no. */
const saysNo: ReadonlySet<string> = new Set(['USER_UNKNOWN', 'USER_ERASED', 'PIN_UNKNOWN', 'FEED_MISSING'])

/** The line and the exit code with which a command's failure ends the process. */
export function failureOf(error: unknown): { readonly line: string; readonly exitCode: number } {
  const { line, exitCode } = endingOf(error)
  if (error instanceof ArgumentError || error instanceof RecordingError || error instanceof ImportError)
    return { line, exitCode: exitCodes.config }
  if (error instanceof OperationError) return { line, exitCode: error.exitCode }
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && saysNo.has(code)) return { line, exitCode: 1 }
  if (code === 'GENERATION' || code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
    return { line, exitCode: exitCodes.unavailable }
  return { line, exitCode }
}

/** Writes one line to standard error and ends the process with the code that fits. */
export function reportAndExit(error: unknown): never {
  const { line, exitCode } = failureOf(error)
  process.stderr.write(`freshet: ${line}\n`)
  process.exit(exitCode)
}
