import { HungUp, LoginRefused } from '../wire/failures.ts'

/** Maps failures of kafkajs that callers handle to the errors that all clients throw. */
export function translated<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw inOurWords(error)
  })
}

function inOurWords(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, errors } = error as Error & { readonly errors?: readonly unknown[] }
  if (name === 'KafkaJSSASLAuthenticationError') return new LoginRefused(message, !message.includes('not supported'))
  if (message === 'Closed connection') return new HungUp(error)
  // The errors of several topics come as one: all are the same where the topics were created by another at the same time.
  if (name === 'KafkaJSAggregateError' && errors !== undefined && errors.length > 0)
    return errors.find((one) => (one as { type?: unknown }).type !== 'TOPIC_ALREADY_EXISTS') ?? errors[0]
  return error
}
