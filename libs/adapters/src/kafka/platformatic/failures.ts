import { ProtocolError, ResponseError } from '@platformatic/kafka'
import { brokerError } from '../wire/failures.ts'

/** What the library adds to the error of a member that has to ask again under the id that it was given. */
interface WithMember {
  readonly memberId?: string
}

/** A refusal of the broker as the error that all clients throw for it; any other error as it is. */
export function refusal(error: unknown): unknown {
  if (!(error instanceof ResponseError)) return error
  const first = refusalsIn(error)[0]
  if (first === undefined) return error
  const { memberId } = first as unknown as WithMember
  const detail = typeof first['serverErrorMessage'] === 'string' ? first['serverErrorMessage'] : ''
  return Object.assign(brokerError(Number(first['apiCode']), detail), memberId === undefined ? {} : { memberId })
}

/** The answer of a request whose errors are in the answer too, for the caller to read. */
export function answerDespiteErrors<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => {
    const answer = error instanceof ResponseError ? (error as unknown as { readonly response?: T }).response : undefined
    if (answer === undefined) throw error
    return answer
  })
}

/** Ends well where all that the broker refused is one thing. */
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
