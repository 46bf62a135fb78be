import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every error that a port, the ingest or the feed can answer with. */
export const errorCatalogue = {
  LOG_UNAVAILABLE: {
    fault: 'dependency',
    retryable: true,
    meaning: 'The event log does not answer. It acknowledged nothing.',
  },
  LOG_TLS_FAILED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'A TLS connection to Kafka failed. The message names the setting of `kafka.tls` to change.',
  },
  LOG_LOGIN_REFUSED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'Kafka refused the login in `kafka.sasl`, or requires a login.',
  },
  LOG_RIGHTS_MISSING: {
    fault: 'dependency',
    retryable: true,
    meaning:
      'Kafka allows the user in `kafka.sasl` not what the service needs. `freshet topics acls` prints the rights of each service.',
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
    meaning: 'A topic does not exist. Run `freshet topics apply`.',
  },
  LOG_TOPIC_MISMATCH: {
    fault: 'server',
    retryable: false,
    meaning: 'A topic has a different number of partitions than configured. Keys would change owners.',
  },
  LOG_REPLACED: {
    fault: 'dependency',
    retryable: false,
    meaning:
      'This is not the log that the service followed: it was created again, or it ends before the position already folded. The service folds nothing until you run `freshet log adopt`.',
  },
  LOG_RECORDS_LOST: {
    fault: 'dependency',
    retryable: false,
    meaning: 'Retention deleted records before the service folded them. Reading continues after them.',
  },
  LOG_FULL: {
    fault: 'dependency',
    retryable: true,
    meaning:
      'The disk of the event log is full, so the log acknowledged nothing. Writing resumes by itself when there is room.',
  },
  LOG_MEMBER_REPLACED: {
    fault: 'server',
    retryable: false,
    meaning: 'Another process joined the group under the same instance name. This process stops reading.',
  },
  SOURCE_UNIDENTIFIED: {
    fault: 'dependency',
    retryable: true,
    meaning:
      'The brokers of `source.topic` do not say which topic it is, so its records cannot be told from those of a topic that is created again. Use Kafka 2.8 or later.',
  },
  LOG_CLIENT_UNSUPPORTED: {
    fault: 'server',
    retryable: false,
    meaning:
      'The installed Kafka client library lacks something that Freshet relies on. The message says what to install.',
  },
  LOG_CLOSED: { fault: 'server', retryable: false, meaning: 'This process closed the event log.' },
  STORE_UNAVAILABLE: { fault: 'dependency', retryable: true, meaning: 'The state store does not answer.' },
  STORE_TLS_FAILED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'A TLS connection to Redis failed. The message names the setting of `redis` to change.',
  },
  STORE_LOGIN_REFUSED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'Redis refused the login in `redis.username` and `redis.password`, or requires a login.',
  },
  STORE_CLOSED: { fault: 'server', retryable: false, meaning: 'This process closed the state store.' },
  STORE_VALUE_TOO_LARGE: {
    fault: 'server',
    retryable: false,
    meaning: 'A value is larger than the state store accepts.',
  },
  STORE_FULL: {
    fault: 'dependency',
    retryable: true,
    meaning: 'The disk of the state store is full, so nothing changed. Writing resumes by itself when there is room.',
  },
  STORE_DAMAGED: {
    fault: 'server',
    retryable: false,
    meaning:
      'A file in the data folder is damaged or truncated. Restore a copy, or move the file away to start with an empty one.',
  },
  STORE_IN_USE: { fault: 'client', retryable: false, meaning: 'Another process uses the data folder.' },
  STORE_POLICY: {
    fault: 'dependency',
    retryable: false,
    meaning: 'Redis is configured to evict keys. Set `maxmemory-policy noeviction`.',
  },
  USER_UNKNOWN: { fault: 'client', retryable: false, meaning: 'There is no state for this user.' },
  USER_ERASED: {
    fault: 'client',
    retryable: false,
    meaning: 'The user was erased. Nothing from before the erasure is kept.',
  },
  PIN_UNKNOWN: {
    fault: 'client',
    retryable: false,
    meaning: 'There is neither a catalogue entry nor state for this pin.',
  },
  FEED_MISSING: {
    fault: 'client',
    retryable: false,
    meaning: 'No feed with this id is recorded, or the feed does not contain the pin.',
  },
  EXPLAIN_SWITCHED_OFF: {
    fault: 'client',
    retryable: false,
    meaning: 'This blender does not answer `ExplainFeed` (`blender.answersExplainFeed`). Ask one that does.',
  },
  ARTEFACT_MISSING: { fault: 'client', retryable: false, meaning: 'There is no artefact with this name.' },
  ARTEFACT_NAME: { fault: 'client', retryable: false, meaning: 'The name is not valid for an artefact.' },
  ARTEFACT_DAMAGED: {
    fault: 'dependency',
    retryable: false,
    meaning:
      'The bytes of an artefact in the log are not those that were written. Let another model serve, or train again.',
  },
  ARTEFACT_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    meaning: 'An artefact is larger than what travels by the log.',
  },
  CALL_DEADLINE_EXCEEDED: { fault: 'server', retryable: true, meaning: 'The call did not finish before its deadline.' },
  CALL_CANCELLED: { fault: 'client', retryable: false, meaning: 'The caller cancelled the call.' },
  CALL_REFUSED: {
    fault: 'client',
    retryable: false,
    meaning:
      'The called service refused the key of the caller, or there was none. The message begins with a code of access.',
  },
  CALL_UNAVAILABLE: {
    fault: 'dependency',
    retryable: true,
    meaning: 'The called service cannot be reached or is not ready.',
  },
  CALL_TLS_FAILED: {
    fault: 'dependency',
    retryable: true,
    meaning: 'A TLS connection to another service failed. The message names the setting of `tls` to change.',
  },
  CALL_RATE_LIMITED: {
    fault: 'client',
    retryable: true,
    meaning:
      'A key, a user or an address calls faster than `limits` allow. Call again after the time in `Retry-After`.',
  },
  CALL_INVALID_ARGUMENT: {
    fault: 'client',
    retryable: false,
    meaning: 'The request is malformed; the message names the field.',
  },
  CALL_INTERNAL: {
    fault: 'server',
    retryable: false,
    meaning: 'A defect in the service. Its log has the stack trace.',
  },
  STAGE_TIMED_OUT: {
    fault: 'server',
    retryable: true,
    meaning: 'A stage of the feed pipeline did not finish within its budget and was skipped.',
  },
  STAGE_FAILED: { fault: 'server', retryable: true, meaning: 'A stage of the feed pipeline failed and was skipped.' },
  STAGE_ANSWER_INVALID: {
    fault: 'server',
    retryable: false,
    meaning: 'A stage of the feed pipeline broke its contract and was skipped.',
  },
  SOURCE_TIMED_OUT: {
    fault: 'server',
    retryable: true,
    meaning: 'A candidate source used up its budget. It was skipped, or it stopped early with what it had found.',
  },
  SOURCE_FAILED: { fault: 'server', retryable: true, meaning: 'A candidate source failed and was skipped.' },
  FACTS_BEHIND: {
    fault: 'server',
    retryable: true,
    meaning: 'The filters have not yet read the whole catalogue. They let no pin through until they have.',
  },
  CANDIDATES_BEHIND: {
    fault: 'server',
    retryable: true,
    meaning: 'The candidate service is still reading events from before it started. Some pins may be missing.',
  },
  FEED_ALL_SEEN: {
    fault: 'client',
    retryable: false,
    meaning:
      'The user has seen every eligible pin. The pins shown longest ago are shown again, marked `seen_again`, each once until the next first page.',
  },
  FEED_NOTHING_ELIGIBLE: {
    fault: 'client',
    retryable: false,
    meaning: 'The catalogue contains no pin that this user may see and that fits the filter of the request.',
  },
  TOKEN_DEAD_LETTERED: {
    fault: 'server',
    retryable: false,
    meaning:
      'The event of a token could not be read and is a dead letter now, so the feed does not reflect it. See `freshet dlq list`.',
  },
  TOKEN_ERASED: {
    fault: 'client',
    retryable: false,
    meaning:
      'The event of a token happened before its user was erased. It does not count, and the feed does not reflect it.',
  },
  TOKEN_LOST: {
    fault: 'dependency',
    retryable: false,
    meaning:
      'The log deleted the event of a token before the service folded it, so the feed does not reflect it. Send the event again.',
  },
  TOKEN_FORGOTTEN: {
    fault: 'client',
    retryable: false,
    meaning:
      'So many dead letters followed the event of a token that the service no longer knows whether it applied the event.',
  },
  FEED_UNKNOWN_USER: {
    fault: 'dependency',
    retryable: true,
    meaning:
      'The state store does not answer and this process does not remember the user, so it does not know what the user hid or blocked.',
  },
  FEED_CONTENDED: {
    fault: 'client',
    retryable: true,
    meaning:
      'Too many requests of one user ran at the same time, so the blender could not record the page before the answer. Other blenders may show its pins again.',
  },
  FEED_LOCALE_UNKNOWN: {
    fault: 'client',
    retryable: false,
    meaning: 'No pin is in the language of the requested locale. The feed shows only pins that fit every locale.',
  },
  FEED_MODEL_NOT_HELD: {
    fault: 'server',
    retryable: false,
    meaning:
      'An experiment asks for a model that the ranker does not hold. The model ranked that ranks without the experiment; the record of the feed names it.',
  },
  FEED_HEAD_FACTORS_REFUSED: {
    fault: 'server',
    retryable: false,
    meaning:
      'An experiment or `utilityTuning` names a head that the model does not have. The feed was ranked without factors on heads.',
  },
  MERGE_CONFLICT: {
    fault: 'client',
    retryable: false,
    meaning: 'A user cannot be merged into two others. The merge is a dead letter, and both users stay as they are.',
  },
  MERGE_CYCLE: {
    fault: 'client',
    retryable: false,
    meaning:
      'A user cannot be merged into one who was merged into it. The merge is a dead letter, and both users stay as they are.',
  },
  PARTITION_HALTED: {
    fault: 'server',
    retryable: false,
    meaning:
      'Too many recent records of a partition are bad, probably because of a broken deployment. The updater stops folding this partition.',
  },
  GENERATION: {
    fault: 'client',
    retryable: false,
    meaning: 'A generation of state does not exist, is still serving, or differs from the one that serves.',
  },
  CODEC_INVALID: { fault: 'client', retryable: false, meaning: 'The bytes are not a message of the expected type.' },
  CODEC_NEWER: {
    fault: 'server',
    retryable: true,
    meaning: 'A newer version wrote these bytes and this process cannot read them. Update this process.',
  },
} as const satisfies ErrorCatalogue

export type ErrorCode = keyof typeof errorCatalogue

/** An error of the catalogue. `message` is for people: what, where, and how to mend it. */
export class ContractError extends CodedError<ErrorCode> {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(code, errorCatalogue[code], message, options)
  }
}

/** A call that came too fast. */
export class RateLimitedError extends ContractError {
  /** The same call is taken after this time. */
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super('CALL_RATE_LIMITED', message)
    this.retryAfterMs = retryAfterMs
  }
}

/** Whether a thrown value is an error of this code. */
export function isContractError(error: unknown, code?: ErrorCode): error is ContractError {
  return error instanceof ContractError && (code === undefined || error.code === code)
}
