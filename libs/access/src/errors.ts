import { CodedError, type ErrorKind } from '@freshet/domain/coded-error'

/** What an access error says to HTTP and gRPC. */
interface AccessErrorKind extends ErrorKind {
  /** The status of an HTTP answer; 0: the error ends a process and answers no request. */
  readonly http: 0 | 401 | 403 | 503
}

const configExit = 78
const unproven = { fault: 'client', retryable: false, http: 401 } as const
const denied = { fault: 'client', retryable: false, http: 403 } as const

/** Every error of access. */
export const accessErrorCatalogue = {
  ACCESS_KEY_MISSING: {
    ...unproven,
    meaning: 'The call needs a key or a read token, and the request has none. The message says what to send.',
  },
  ACCESS_KEY_UNKNOWN: {
    ...unproven,
    meaning: 'The key is not in the key file of this process. Check for a missing or a surplus character.',
  },
  ACCESS_KEY_EXPIRED: { ...unproven, meaning: 'The key has expired. Create a new one by `freshet keys rotate`.' },
  ACCESS_KEY_REVOKED: { ...unproven, meaning: 'The key was revoked. Create a new one by `freshet keys create`.' },
  ACCESS_CREDENTIALS_AMBIGUOUS: {
    ...unproven,
    meaning: 'The request has more credentials than one caller can have, such as two keys or a header twice.',
  },
  ACCESS_SIGNATURE_MISSING: {
    ...unproven,
    meaning:
      'A server key came without `freshet-time` and `freshet-signature`, or as the secret itself. A secret that was sent must be rotated.',
  },
  ACCESS_SIGNATURE_STALE: {
    ...unproven,
    meaning: 'The time of the signature differs from the clock of the server by more than 5 minutes.',
  },
  ACCESS_SIGNATURE_WRONG: {
    ...unproven,
    meaning: 'The signature does not fit the method, the path, the time and the bytes of the body as sent.',
  },
  ACCESS_SIGNATURE_REPLAYED: {
    ...unproven,
    meaning: 'This process has already seen the signature. Sign each request with its own time or body.',
  },
  ACCESS_REPLAY_MEMORY_FULL: {
    fault: 'server',
    retryable: true,
    http: 503,
    meaning:
      'The process remembers `access.maxSignatures` signatures of the last minutes and cannot tell replays beyond that.',
  },
  ACCESS_TOKEN_INVALID: {
    ...unproven,
    meaning: 'The read token is not a JWT that this process accepts. The message says why.',
  },
  ACCESS_TOKEN_EXPIRED: { ...unproven, meaning: 'The read token has expired. Send a new one.' },
  ACCESS_TOKEN_KEYS_UNAVAILABLE: {
    fault: 'dependency',
    retryable: true,
    http: 503,
    meaning:
      'The keys of `access.jwt.jwksUrl` cannot be fetched, and there are none from the last day, so no new token can be checked.',
  },
  ACCESS_DENIED: { ...denied, meaning: 'The credential is valid, but not for this call. The message says which are.' },
  ACCESS_OTHER_USER: {
    ...denied,
    meaning: 'A read token is for its own subject. The request asks for another user.',
  },
  ACCESS_FIELD_DENIED: {
    ...denied,
    meaning: 'A field of the request is for trusted callers: server keys, admin keys and our own services.',
  },
  ACCESS_ORIGIN_DENIED: { ...denied, meaning: 'The web origin of the request is not among the origins of the key.' },
  ACCESS_HOST_REFUSED: {
    ...denied,
    meaning:
      'The request names a host that is not of this server (`host` header), as a page does that reaches this machine by a name of its own. Use `localhost`, or set `access.keysFile` or `access.open`.',
  },
  ACCESS_ADMIN_PORT: {
    ...denied,
    meaning: 'The call is served on the admin port of event-ingest (`admin.port`) only.',
  },
  ACCESS_OPEN_REFUSED: {
    fault: 'client',
    retryable: false,
    http: 0,
    exitCode: configExit,
    meaning:
      'A process without keys was told to listen on an address that is not loopback. Set `access.keysFile`, or `access.open` to accept every caller.',
  },
  ACCESS_KEYS_INVALID: {
    fault: 'client',
    retryable: false,
    http: 0,
    exitCode: configExit,
    meaning:
      'The key file, the internal key or the keys of read tokens cannot be used. The message lists all problems.',
  },
} as const satisfies Readonly<Record<string, AccessErrorKind>>

export type AccessErrorCode = keyof typeof accessErrorCatalogue

/** An error of `accessErrorCatalogue`. Its message never holds a credential. */
export class AccessError extends CodedError<AccessErrorCode> {
  /** The status of an HTTP answer. */
  readonly httpStatus: 401 | 403 | 500 | 503
  constructor(code: AccessErrorCode, message: string, options?: ErrorOptions) {
    const kind: AccessErrorKind = accessErrorCatalogue[code]
    super(code, kind, message, options)
    this.httpStatus = kind.http === 0 ? 500 : kind.http
  }
}
