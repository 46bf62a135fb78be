import type { Fault } from '../errors.ts'

interface ProblemKind {
  readonly fault: Fault
  /** Sending the same again may succeed. */
  readonly retryable: boolean
  /** HTTP status of a request that holds nothing else. */
  readonly status: number
  readonly meaning: string
}

/** Everything that can be wrong with what a client sends, and with taking it. */
export const ingestProblems = {
  EVENT_SHAPE: { fault: 'client', retryable: false, status: 400, meaning: 'An event is no JSON object.' },
  EVENT_TOO_DEEP: { fault: 'client', retryable: false, status: 400, meaning: 'A field is nested far too deep.' },
  EVENT_FIELD_MISSING: { fault: 'client', retryable: false, status: 400, meaning: 'A field that is needed is absent.' },
  EVENT_FIELD_TYPE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A field has the wrong JSON type; nothing is converted.',
  },
  EVENT_FIELD_UNKNOWN: { fault: 'client', retryable: false, status: 400, meaning: 'A field that does not exist.' },
  EVENT_FIELD_VALUE: { fault: 'client', retryable: false, status: 400, meaning: 'A value outside of what is allowed.' },
  EVENT_ID_INVALID: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning:
      'An id or name that is not 1–128 characters, has blanks (a name: at its ends), or holds control or invisible characters.',
  },
  EVENT_TEXT_INVALID: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A text that is too long, or holds control characters or half of a surrogate pair.',
  },
  EVENT_TIME_INVALID: { fault: 'client', retryable: false, status: 400, meaning: 'A time that is not RFC 3339.' },
  EVENT_TIME_UNIT: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A number that looks like seconds, microseconds or nanoseconds where milliseconds are wanted.',
  },
  EVENT_TIME_PAST: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'An event older than `maxEventAgeDays`.',
  },
  EVENT_TIME_FUTURE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: "An event so far in the future that a client's clock cannot explain it.",
  },
  EVENT_SUBJECT: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'What the event is about does not fit its action.',
  },
  EMBEDDING_INVALID: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A visual embedding that is empty, all zero, not finite or of the wrong width.',
  },
  BODY_MALFORMED: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A body that is no JSON in UTF-8, or no message of the wanted kind.',
  },
  BODY_SHAPE: {
    fault: 'client',
    retryable: false,
    status: 400,
    meaning: 'A body that is neither one event nor a batch of them.',
  },
  BODY_TOO_DEEP: { fault: 'client', retryable: false, status: 400, meaning: 'A body nested far too deep.' },
  BODY_TOO_LARGE: { fault: 'client', retryable: false, status: 413, meaning: 'A body larger than `maxBodyBytes`.' },
  BATCH_EMPTY: { fault: 'client', retryable: false, status: 400, meaning: 'A batch without events.' },
  BATCH_TOO_LARGE: {
    fault: 'client',
    retryable: false,
    status: 413,
    meaning: 'A batch of more than `maxBatchEvents` events.',
  },
  CONTENT_TYPE: {
    fault: 'client',
    retryable: false,
    status: 415,
    meaning: 'A body that is neither plain nor gzipped `application/json`.',
  },
  ROUTE_UNKNOWN: { fault: 'client', retryable: false, status: 404, meaning: 'No such path or method.' },
  REQUEST_TIMEOUT: {
    fault: 'client',
    retryable: true,
    status: 408,
    meaning: 'A request that did not arrive within `http.maxReceiveMs`.',
  },
  REQUEST_MALFORMED: { fault: 'client', retryable: false, status: 400, meaning: 'A request that is no valid HTTP.' },
  INGEST_OVERLOADED: {
    fault: 'server',
    retryable: true,
    status: 503,
    meaning: 'More bytes arrive or wait for the log than `maxInFlightBytes`; nothing of the request was taken.',
  },
  INGEST_DEADLINE_EXCEEDED: {
    fault: 'server',
    retryable: true,
    status: 504,
    meaning: "The caller's deadline passed before the log answered: the events may not have been taken.",
  },
  INGEST_UNAVAILABLE: {
    fault: 'dependency',
    retryable: true,
    status: 503,
    meaning: 'The log did not acknowledge in time; send the same event ids again.',
  },
  INGEST_INTERNAL: { fault: 'server', retryable: true, status: 500, meaning: 'A defect; the log has its trace.' },
} as const satisfies Record<string, ProblemKind>

export type IngestCode = keyof typeof ingestProblems

/** What is wrong with one event or body. */
export interface IngestProblem {
  readonly code: IngestCode
  /** The field that is wrong, e.g. `engagements[3].pinId`; empty: the whole. */
  readonly field: string
  /** Names the field, says what is wrong and how to mend it. */
  readonly message: string
}

/** The problem of a field below `at` (empty: none). `text` continues the sentence that the field's name begins. */
export function problemAt(at: string, field: string, code: IngestCode, text: string): IngestProblem {
  const path = at === '' ? field : field === '' ? at : `${at}.${field}`
  return { code, field: path, message: `${path === '' ? 'the event' : path} ${text}` }
}

/** An event that cannot be taken: everything that is wrong with it. */
export interface Refused {
  readonly ok: false
  /** The first problem. */
  readonly problem: IngestProblem
  /** All of them, at least one. */
  readonly problems: readonly IngestProblem[]
}

/** The most problems of one event that are named. */
const maxProblems = 32

/** What is wrong with an event, collected while it is read. */
export interface Problems {
  /** Notes a problem of a field. */
  add(field: string, fault: { readonly code: IngestCode; readonly text: string; readonly index?: number }): void
  /** Notes a problem that is worded already. */
  push(problem: IngestProblem): void
  refused(): Refused
}

/** An empty collection; `at` says where the event stands, e.g. `engagements[3]`. */
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
