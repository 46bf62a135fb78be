import type { ErrorKind } from '@freshet/domain/coded-error'

interface ProblemKind extends ErrorKind {
  /** HTTP status of a request in which every event has this problem. */
  readonly status: number
}

/** Every problem of a client's events and requests, and of accepting them. */
export const ingestProblems = {
  EVENT_SHAPE: { fault: 'client', retryable: false, status: 400, meaning: 'An event is not a JSON object.' },
  EVENT_TOO_DEEP: { fault: 'client', retryable: false, status: 400, meaning: 'A field is nested too deep.' },
  EVENT_FIELD_MISSING: { fault: 'client', retryable: false, status: 400, meaning: 'A required field is missing.' },
  EVENT_FIELD_TYPE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A field has the wrong JSON type. Freshet converts no types.',
  },
  EVENT_FIELD_UNKNOWN: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'An event has a field that does not exist.',
  },
  EVENT_FIELD_VALUE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A value is outside the allowed range.',
  },
  EVENT_ID_INVALID: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning:
      'An id or name does not have 1–128 characters, contains spaces (in a name: at its start or end), or contains control or invisible characters.',
  },
  EVENT_TEXT_INVALID: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A text is too long, or contains control characters or half of a surrogate pair.',
  },
  EVENT_TIME_INVALID: { fault: 'client', retryable: false, status: 400, meaning: 'A time is not in RFC 3339 format.' },
  EVENT_TIME_UNIT: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A time in milliseconds looks like seconds, microseconds or nanoseconds.',
  },
  EVENT_TIME_PAST: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'An event is older than `maxEventAgeDays`.',
  },
  EVENT_TIME_FUTURE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'An event is so far in the future that a wrong client clock cannot explain it.',
  },
  EVENT_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'The event takes more than `ingest.maxEventBytes` in the log.',
  },
  EVENT_SUBJECT: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'The subject of the event does not fit its action.',
  },
  USER_ERASED: {
    fault: 'client',
    retryable: false,
    status: 410,
    meaning: 'The user was erased after this happened. Ingest does not accept it, however late it comes.',
  },
  MERGE_SAME_USER: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A user cannot be merged into itself.',
  },
  EMBEDDING_INVALID: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A visual embedding is empty, all zero, not finite, or has the wrong width.',
  },
  BODY_MALFORMED: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'The body is not UTF-8 JSON, or not a message of the expected type.',
  },
  BODY_SHAPE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'The body is neither an event nor a batch of events.',
  },
  BODY_TOO_DEEP: { fault: 'client', retryable: false, status: 400, meaning: 'The body is nested too deep.' },
  BODY_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    status: 413,
    meaning: 'The body is larger than `maxBodyBytes`.',
  },
  BATCH_EMPTY: { fault: 'client', retryable: false, status: 400, meaning: 'The batch contains no events.' },
  BATCH_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    status: 413,
    meaning: 'The batch contains more than `maxBatchEvents` events.',
  },
  CONTENT_TYPE: {
    fault: 'client',
    retryable: false,
    status: 415,
    meaning: 'The body is not `application/json`, plain or packed by gzip, zstd or brotli.',
  },
  ROUTE_UNKNOWN: { fault: 'client', retryable: false, status: 404, meaning: 'The path or the method does not exist.' },
  REQUEST_TIMEOUT: {
    fault: 'client',
    retryable: true,
    status: 408,
    meaning: 'The request did not arrive within `http.maxReceiveMs`.',
  },
  REQUEST_HEADERS_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    status: 431,
    meaning: 'The request line and the headers have more than `http.maxHeaderBytes` bytes.',
  },
  REQUEST_MALFORMED: { fault: 'client', retryable: false, status: 400, meaning: 'The request is not valid HTTP.' },
  RATE_LIMITED: {
    fault: 'client',
    retryable: true,
    status: 429,
    meaning:
      'A key, a user or an address sends faster than `limits` allow. Nothing of this request was accepted; send it again after the time in `Retry-After`.',
  },
  INGEST_OVERLOADED: {
    fault: 'server',
    retryable: true,
    status: 503,
    meaning:
      'More than `maxInFlightBytes` bytes of requests are arriving or waiting for the log. Nothing of this request was accepted.',
  },
  INGEST_DEADLINE_EXCEEDED: {
    fault: 'server',
    retryable: true,
    status: 504,
    meaning: "The caller's deadline passed before the log answered. The log may or may not have the events.",
  },
  INGEST_UNAVAILABLE: {
    fault: 'dependency',
    retryable: true,
    status: 503,
    meaning: 'The log did not acknowledge in time. Send the same event ids again.',
  },
  INGEST_INTERNAL: {
    fault: 'server',
    retryable: true,
    status: 500,
    meaning: 'A defect in the service. Its log has the stack trace.',
  },
} as const satisfies Record<string, ProblemKind>

export type IngestCode = keyof typeof ingestProblems

/** One problem of an event or body. */
export interface IngestProblem {
  readonly code: IngestCode
  /** The wrong field, e.g. `engagements[3].pinId`; empty: the problem concerns the whole event or body. */
  readonly field: string
  /** Names the field, the problem and the fix. */
  readonly message: string
  /** The same request is taken after this time; absent: nobody knows when. */
  readonly retryAfterMs?: number
}

/** The problem of a field of the event at `at`, e.g. `engagements[3]` (empty: a single event). `text` continues a sentence that begins with the field's name. */
export function problemAt(at: string, field: string, code: IngestCode, text: string): IngestProblem {
  const path = at === '' ? field : field === '' ? at : `${at}.${field}`
  return { code, field: path, message: `${path === '' ? 'the event' : path} ${text}` }
}

/** An event that ingest rejects, with all its problems. */
export interface Refused {
  readonly ok: false
  /** The first problem. */
  readonly problem: IngestProblem
  /** All problems, at least one. */
  readonly problems: readonly IngestProblem[]
}

/** Maximum number of problems that are reported for one event. */
const maxProblems = 32

/** Collects the problems of an event while it is read. */
export interface Problems {
  /** Adds a problem of a field. */
  add(field: string, fault: { readonly code: IngestCode; readonly text: string; readonly index?: number }): void
  /** Adds a finished problem. */
  push(problem: IngestProblem): void
  refused(): Refused
}

/** An empty collection. `at` is the place of the event in the request, e.g. `engagements[3]`. */
export function createProblems(at: string): Problems {
  const problems: IngestProblem[] = []
  const push = (problem: IngestProblem): void => {
    if (problems.length < maxProblems) problems.push(problem)
  }
  return {
    add(field, { code, text, index }) {
      push(problemAt(at, index === undefined ? field : `${field}[${index}]`, code, text))
    },
    push,
    refused: () => ({ ok: false, problem: problems[0] as IngestProblem, problems }),
  }
}
