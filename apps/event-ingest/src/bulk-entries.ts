import { Readable } from 'node:stream'
import { ingestRules } from '@freshet/adapters/access/ingest-rules'
import { createProblems, ingestProblems, type IngestProblem, type Refused } from '@freshet/contracts/json/problems'
import { traceHeaders } from '@freshet/contracts/trace-context'
import { BodyError } from '@freshet/service/http-body'
import { addBodyParser } from '@freshet/service/http-app'
import { parseJsonBody } from '@freshet/service/json-body'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { IngestCall } from './append.ts'
import type { IngestConfig } from './config.ts'
import { entryKinds, type EntryIngest, type EntryKind } from './entries.ts'
import type { Answer, Ingest } from './ingest.ts'
import { problemOf } from './request-problems.ts'

/** The content type of one JSON value in each line. */
export const linesType = 'application/x-ndjson'

/** Lines that are appended together. */
const linesAtOnce = 500
const newline = 0x0a

/** Dependencies of the route. */
export interface BulkOptions {
  readonly ingest: EntryIngest & Pick<Ingest, 'inFlight'>
  readonly config: Pick<IngestConfig, 'maxBodyBytes' | 'maxBatchEvents'>
  readonly refuse: (reply: FastifyReply, problem: IngestProblem) => FastifyReply
}

/** A line of the body: its number, 1 = the first, and what it contains. */
interface Line {
  readonly line: number
  readonly value: unknown
}

/** A line that is not JSON. */
class NotJson {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

/**
 * Adds `POST /v1/pins/bulk`, `/v1/creators/bulk` and `/v1/boards/bulk` to a scope of its own: a catalogue change in each line of the body. It answers with a line for each line as soon as the
 * log has it, and with the sums in the last line, which has `done`.
 */
export function addBulkEntries(scope: FastifyInstance, options: BulkOptions): void {
  const { ingest, config } = options
  addBodyParser(scope, linesType, { maxBodyBytes: config.maxBodyBytes, room: ingest.inFlight }, (bytes) => bytes)
  for (const kind of entryKinds) addBulk(scope, kind, options)
}

function addBulk(scope: FastifyInstance, kind: EntryKind, { ingest, config, refuse }: BulkOptions): void {
  const options = { config: { access: ingestRules[kind.rule], adminPort: true } }
  scope.post(`/v1/${kind.list}/bulk`, options, async (request, reply) => {
    request.received?.end()
    const body = request.body ?? Buffer.alloc(0)
    if (!Buffer.isBuffer(body))
      return refuse(reply, problemOf('the body', 'CONTENT_TYPE', `has another content type; send ${linesType}`))
    // The body stays in memory until the last answer.
    const release = ingest.inFlight.take(request.bodyBytes)
    if (release === null)
      return refuse(reply, problemOf('the request', 'INGEST_OVERLOADED', 'was not accepted: too many bytes wait'))
    const { traceparent, tracestate } = request.headers
    const call = { trace: traceHeaders(traceparent, tracestate), deadlineMs: null }
    const results = takeLines(body, { ingest, kind, call, most: Math.min(linesAtOnce, config.maxBatchEvents) })
    const first = await results.next().catch((error: unknown) => {
      release()
      throw error
    })
    if (first.done === true || first.value.refused !== null) {
      release()
      const nothing = problemOf('the body', 'BATCH_EMPTY', `has no lines; send one ${kind.one} in each`)
      return refuse(reply, first.done === true ? nothing : (first.value.refused ?? nothing))
    }
    const answer = Readable.from(answerLines(first.value, results), { objectMode: false })
    answer.once('close', release)
    return reply.code(200).type(linesType).send(answer)
  })
}

/** What became of some lines. `refused`: why ingest took none of them; null: it took them. */
interface Taken {
  readonly lines: readonly Line[]
  readonly answer: Extract<Answer, { kind: 'taken' }> | null
  readonly refused: IngestProblem | null
}

/** Takes the lines of a body, some at a time. Ends after the first that ingest refuses. */
async function* takeLines(
  body: Buffer,
  {
    ingest,
    kind,
    call,
    most,
  }: Pick<BulkOptions, 'ingest'> & { readonly kind: EntryKind; readonly call: IngestCall; readonly most: number },
): AsyncGenerator<Taken, undefined> {
  for (let rest = linesOf(body, { at: 0, line: 1 }, most); rest.lines.length > 0;) {
    const { lines } = rest
    // As single events, so that fields are named without their place: the answer has the number of the line.
    const answer = await kind.take(
      ingest,
      { events: lines.map(({ value }) => value), single: true, bytes: 0, call },
      notJson,
    )
    if (answer.kind === 'refused') {
      yield { lines, answer: null, refused: answer.problem }
      return
    }
    yield { lines, answer, refused: null }
    rest = linesOf(body, rest.next, most)
  }
}

/** Where a line begins, and its number. */
interface Place {
  readonly at: number
  readonly line: number
}

/** The next lines that are not empty, at most `most`, and where the rest begins. */
function linesOf(body: Buffer, from: Place, most: number): { readonly lines: readonly Line[]; readonly next: Place } {
  const lines: Line[] = []
  let { at, line } = from
  for (; at < body.length && lines.length < most; line++) {
    const found = body.indexOf(newline, at)
    const end = found < 0 ? body.length : found
    const bytes = body.subarray(at, end)
    at = end + 1
    if (bytes.some((byte) => byte > 0x20)) lines.push({ line, value: parseLine(bytes) })
  }
  return { lines, next: { at, line } }
}

function parseLine(bytes: Buffer): unknown {
  try {
    return parseJsonBody(bytes)
  } catch (error) {
    if (error instanceof BodyError) return new NotJson(error.message)
    throw error
  }
}

/** The problem of a line that is not JSON; null: it is. */
function notJson(value: unknown): Refused | null {
  if (!(value instanceof NotJson)) return null
  const problems = createProblems('the line')
  problems.add('', { code: 'BODY_MALFORMED', text: value.why })
  return problems.refused()
}

async function* answerLines(first: Taken, rest: AsyncGenerator<Taken, undefined>): AsyncGenerator<string> {
  let [accepted, rejected] = [0, 0]
  for (let taken: Taken | undefined = first; taken !== undefined; taken = (await rest.next()).value) {
    const { lines, answer, refused } = taken
    if (answer === null) {
      const { code, field, message } = refused as IngestProblem
      const error = { code, field, message, retryable: ingestProblems[code].retryable }
      yield `${JSON.stringify({ done: false, accepted, rejected, nextLine: lines[0]?.line, error })}\n`
      return
    }
    accepted += answer.accepted
    rejected += lines.length - answer.accepted
    let text = ''
    for (const [row, receipt] of answer.receipts.entries())
      text += `${JSON.stringify({ line: lines[row]?.line, ...receipt })}\n`
    yield text
  }
  yield `${JSON.stringify({ done: true, accepted, rejected })}\n`
}
