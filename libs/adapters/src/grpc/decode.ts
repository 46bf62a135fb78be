import { ContractError } from '@freshet/contracts/errors'

/** A request that was read, or why it could not be: grpc-js would answer INTERNAL to what the client did wrong. */
export type Decoded<Message> = { readonly message: Message } | { readonly problem: string }

/** Reads requests; what is no message becomes a problem instead of an exception. */
export function tolerant<Message>(
  name: string,
  decode: (bytes: Buffer) => Message,
): (bytes: Buffer) => Decoded<Message> {
  return (bytes) => {
    try {
      return { message: decode(bytes) }
    } catch (error) {
      return { problem: `${name}: ${bytes.length} bytes are no such message: ${(error as Error).message}` }
    }
  }
}

/** The message that was read. Throws CALL_INVALID_ARGUMENT where none was. */
export function messageOf<Message>(decoded: Decoded<Message>): Message {
  if ('problem' in decoded) throw new ContractError('CALL_INVALID_ARGUMENT', decoded.problem)
  return decoded.message
}
