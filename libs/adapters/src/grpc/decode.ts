import { ContractError } from '@freshet/contracts/errors'

/** A decoded request, or why it could not be decoded. Without this, grpc-js would answer INTERNAL to a client's mistake. */
export type Decoded<Message> = { readonly message: Message } | { readonly problem: string }

/** Wraps a decoder: bytes that are not a message become a problem instead of an exception. */
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

/** Returns the decoded message. Throws CALL_INVALID_ARGUMENT if decoding failed. */
export function messageOf<Message>(decoded: Decoded<Message>): Message {
  if ('problem' in decoded) throw new ContractError('CALL_INVALID_ARGUMENT', decoded.problem)
  return decoded.message
}
