/** Converts a message to and from bytes and proto3 JSON. Generated messages have this form. */
interface MessageCodec<Message> {
  encode(message: Message): { finish(): Uint8Array }
  decode(bytes: Uint8Array): Message
  fromJSON(json: unknown): Message
  toJSON(message: Message): unknown
}

/** A unary call: its name in the proto file, and its messages. */
export interface MethodCodecs<Request, Response> {
  readonly name: string
  readonly request: MessageCodec<Request>
  readonly response: MessageCodec<Response>
  /** Whether it changes and records nothing (`idempotency_level = NO_SIDE_EFFECTS`). */
  readonly reads: boolean
}
