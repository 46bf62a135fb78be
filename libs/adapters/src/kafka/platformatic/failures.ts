import { ProtocolError, ResponseError } from '@platformatic/kafka'
import { brokerError } from '../wire/failures.ts'

/** The field that the library adds to the error of a member that must join again with its new id. */
interface WithMember {
  readonly memberId?: string
}

/** Maps a broker's refusal to the error that all clients throw; returns other errors unchanged. */
export function refusal(error: unknown): unknown {
  if (!(error instanceof ResponseError)) return error
  const first = refusalsIn(error)[0]
  if (first === undefined) return error
  const { memberId } = first as unknown as WithMember
  const detail = typeof first['serverErrorMessage'] === 'string' ? first['serverErrorMessage'] : ''
  return Object.assign(brokerError(Number(first['apiCode']), detail), memberId === undefined ? {} : { memberId })
}

/** Returns the answer of a request even if it contains errors; the caller reads them. */
export function answerDespiteErrors<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => {
    const answer = error instanceof ResponseError ? (error as unknown as { readonly response?: T }).response : undefined
    if (answer === undefined) throw error
    return answer
  })
}

/** Waits for a request and ignores the refusal `expected`, the broker's name of an error; rejects with any other error. */
export async function withoutRefusals(asked: Promise<unknown>, expected: string): Promise<void> {
  try {
    await asked
  } catch (error) {
    const others =
      error instanceof ResponseError ? refusalsIn(error).filter((one) => one['apiId'] !== expected) : [error]
    if (others.length === 0) return
    const [first] = others
    throw first instanceof ProtocolError ? brokerError(Number(first['apiCode'])) : error
  }
}

function refusalsIn(error: ResponseError): readonly ProtocolError[] {
  return error.errors.filter((one) => one instanceof ProtocolError)
}
