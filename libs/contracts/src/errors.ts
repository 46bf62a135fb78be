/** Who has to act: the caller, this service, or something it depends on. */
export type Fault = 'client' | 'server' | 'dependency'

interface ErrorKind {
  readonly fault: Fault
  /** Sending the same again may succeed. */
  readonly retryable: boolean
  readonly meaning: string
}

/** Every error that a port, the ingest or the feed can answer with. */
export const errorCatalogue = {
  LOG_UNAVAILABLE: {
    fault: 'dependency',
    retryable: true,
    meaning: 'The event log does not answer; nothing was acknowledged.',
  },
  LOG_TLS_FAILED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'No TLS connection to Kafka: the message says which setting of `kafka.tls` to change.',
  },
  LOG_LOGIN_REFUSED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'Kafka refuses the login of `kafka.sasl`, or wants one.',
  },
  LOG_RECORD_TOO_LARGE: { fault: 'client', retryable: false, meaning: "A record is larger than its topic's limit." },
  HEADERS_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    meaning: 'A message carries more headers, or longer ones, than the limit allows.',
  },
  LOG_TOPIC_MISSING: {
    fault: 'server',
    retryable: false,
    meaning: 'A topic does not exist; run `freshet topics apply`.',
  },
  LOG_TOPIC_MISMATCH: {
    fault: 'server',
    retryable: false,
    meaning: 'A topic exists with another number of partitions; keys would change owners.',
  },
  LOG_REPLACED: {
    fault: 'dependency',
    retryable: false,
    meaning:
      'The log is not the one that was followed: it was made anew, or ends before the position folded. Nothing is folded until `freshet log adopt`.',
  },
  LOG_RECORDS_LOST: {
    fault: 'dependency',
    retryable: false,
    meaning: 'Retention deleted records before they were folded; reading goes on after them.',
  },
  LOG_FULL: {
    fault: 'dependency',
    retryable: true,
    meaning:
      'The disk of the event log has no room; nothing was acknowledged. It goes on by itself when there is room.',
  },
  LOG_MEMBER_REPLACED: {
    fault: 'server',
    retryable: false,
    meaning: 'Another process joined the group under the same instance name; this one reads no more.',
  },
  LOG_CLIENT_UNSUPPORTED: {
    fault: 'server',
    retryable: false,
    meaning: 'The installed Kafka client library lacks something Freshet relies on; the message says what to install.',
  },
  LOG_CLOSED: { fault: 'server', retryable: false, meaning: 'The event log was closed by this process.' },
  STORE_UNAVAILABLE: { fault: 'dependency', retryable: true, meaning: 'The state store does not answer.' },
  STORE_TLS_FAILED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'No TLS connection to Redis: the message says which setting of `redis` to change.',
  },
  STORE_LOGIN_REFUSED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'Redis refuses the login of `redis.username` and `redis.password`, or wants one.',
  },
  STORE_CLOSED: { fault: 'server', retryable: false, meaning: 'The state store was closed by this process.' },
  STORE_VALUE_TOO_LARGE: {
    fault: 'server',
    retryable: false,
    meaning: 'A value is larger than the state store takes.',
  },
  STORE_FULL: {
    fault: 'dependency',
    retryable: true,
    meaning: 'The disk of the state store has no room; nothing was changed. It goes on by itself when there is room.',
  },
  STORE_DAMAGED: {
    fault: 'server',
    retryable: false,
    meaning:
      'The file of a data folder is damaged or cut off; restore a copy, or move it away to begin with an empty one.',
  },
  STORE_IN_USE: { fault: 'client', retryable: false, meaning: 'The data folder is in use by another process.' },
  STORE_POLICY: {
    fault: 'dependency',
    retryable: false,
    meaning: 'Redis may evict keys: set `maxmemory-policy noeviction`.',
  },
  USER_UNKNOWN: { fault: 'client', retryable: false, meaning: 'Nothing is known of this user.' },
  USER_ERASED: { fault: 'client', retryable: false, meaning: 'The user was erased; nothing from before is shown.' },
  PIN_UNKNOWN: { fault: 'client', retryable: false, meaning: 'Nothing is known of this pin.' },
  FEED_MISSING: {
    fault: 'client',
    retryable: false,
    meaning: 'No such feed was recorded, or it does not hold the pin.',
  },
  ARTEFACT_MISSING: { fault: 'client', retryable: false, meaning: 'No artefact of this name.' },
  ARTEFACT_NAME: { fault: 'client', retryable: false, meaning: 'Not a name of an artefact.' },
  CALL_DEADLINE_EXCEEDED: { fault: 'server', retryable: true, meaning: 'The call did not end within its time.' },
  CALL_CANCELLED: { fault: 'client', retryable: false, meaning: 'The caller ended the call.' },
  CALL_UNAVAILABLE: {
    fault: 'dependency',
    retryable: true,
    meaning: 'The service called is not reachable or not ready.',
  },
  CALL_INVALID_ARGUMENT: {
    fault: 'client',
    retryable: false,
    meaning: 'The request is malformed; the message names the field.',
  },
  CALL_INTERNAL: { fault: 'server', retryable: false, meaning: 'A defect; the log has its trace.' },
  STAGE_TIMED_OUT: {
    fault: 'server',
    retryable: true,
    meaning: 'A stage of the feed did not end within its budget and was left out.',
  },
  STAGE_FAILED: { fault: 'server', retryable: true, meaning: 'A stage of the feed failed and was left out.' },
  STAGE_ANSWER_INVALID: {
    fault: 'server',
    retryable: false,
    meaning: 'A stage of the feed broke its contract and was left out.',
  },
  SOURCE_TIMED_OUT: {
    fault: 'server',
    retryable: true,
    meaning: 'A source of candidates used up its budget: it was left out, or broke off with what it had found.',
  },
  SOURCE_FAILED: { fault: 'server', retryable: true, meaning: 'A source of candidates failed and was left out.' },
  FACTS_BEHIND: {
    fault: 'server',
    retryable: true,
    meaning: 'The filters have not caught up with the catalogue yet; they let nothing through.',
  },
  CANDIDATES_BEHIND: {
    fault: 'server',
    retryable: true,
    meaning: 'The candidate service is still reading what happened before it started: pins may be missing.',
  },
  FEED_ALL_SEEN: {
    fault: 'client',
    retryable: false,
    meaning:
      'Nothing is left that the user was not shown: the pins shown longest ago come again, marked `seen_again`, each once until the next first page.',
  },
  FEED_NOTHING_ELIGIBLE: {
    fault: 'client',
    retryable: false,
    meaning: 'The whole catalogue holds no pin that may be shown to this user.',
  },
  TOKEN_DEAD_LETTERED: {
    fault: 'server',
    retryable: false,
    meaning:
      'The event of a token could not be read and was put aside: the feed does not reflect it. See `freshet dlq list`.',
  },
  TOKEN_ERASED: {
    fault: 'client',
    retryable: false,
    meaning:
      'The event of a token happened before its user was erased: it does not count, and the feed does not reflect it.',
  },
  TOKEN_LOST: {
    fault: 'dependency',
    retryable: false,
    meaning:
      'The event of a token was deleted from the log before it was folded: the feed does not reflect it. Send it again.',
  },
  TOKEN_FORGOTTEN: {
    fault: 'client',
    retryable: false,
    meaning: 'So much was put aside after the event of a token that it is no longer known whether it was applied.',
  },
  FEED_UNKNOWN_USER: {
    fault: 'dependency',
    retryable: true,
    meaning:
      'The state store does not answer and this process does not remember the user: what the user hid or blocked is not known.',
  },
  FEED_LOCALE_UNKNOWN: {
    fault: 'client',
    retryable: false,
    meaning: 'No pin is in the language of the locale asked for: only pins that fit every locale are shown.',
  },
  PARTITION_HALTED: {
    fault: 'server',
    retryable: false,
    meaning:
      'Too many of the last records of a partition are bad: a deploy is probably broken; nothing more is folded.',
  },
  GENERATION: {
    fault: 'client',
    retryable: false,
    meaning: 'A generation of state is not there, or still serves, or differs from the one that serves.',
  },
  CODEC_INVALID: { fault: 'client', retryable: false, meaning: 'Bytes that are no message of the wanted kind.' },
  CODEC_NEWER: {
    fault: 'server',
    retryable: true,
    meaning: 'A newer version wrote these bytes and this process cannot read them: update this process.',
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorCatalogue

/** An error of the catalogue. `message` is for people: what, where, and how to mend it. */
export class ContractError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ContractError'
    this.code = code
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable
  }

  get fault(): Fault {
    return errorCatalogue[this.code].fault
  }
}

/** Whether a thrown value is an error of this code. */
export function isContractError(error: unknown, code?: ErrorCode): error is ContractError {
  return error instanceof ContractError && (code === undefined || error.code === code)
}
