import type { EventCase, GrpcCase, HttpCase, RawCase } from './cases.ts'
import type { GrpcAnswer } from './send-grpc.ts'
import type { HttpAnswer } from './send-raw.ts'

/** What came back, and which laws it breaks. */
export interface Verdict {
  readonly answer: string
  readonly broken: readonly string[]
}

/** Judges what came back on a connection of HTTP. */
export function judgeAnswer(hostile: HttpCase | RawCase, answers: readonly HttpAnswer[], closed: boolean): Verdict {
  const statuses = answers.map(({ status }) => status)
  const answer = `${statuses.slice(0, 3).join(' ')}${closed && statuses.length === 0 ? 'closed' : ''}` || 'nothing'
  const broken = answers.flatMap((each) => lawsBrokenBy(each))
  const fits = {
    accepted: () => statuses.length > 0 && statuses.every((status) => status >= 200 && status < 300),
    refused: () => statuses.length > 0 && statuses.some((status) => status >= 400 && status < 500),
    closed: () => closed && statuses.length === 0,
    'refused or closed': () =>
      statuses.length === 0 ? closed : statuses.some((status) => status >= 400 && status < 500),
    overloaded: () => statuses.some((status) => status === 503 || status === 429),
    any: () => closed || statuses.length > 0,
  }
  if (!fits[hostile.answer]())
    broken.push(`wanted: ${hostile.answer}; got ${answer}: ${answers[0]?.body.slice(0, 200) ?? ''}`)
  const code = 'code' in hostile ? hostile.code : undefined
  const field = 'field' in hostile ? hostile.field : undefined
  const text = answers.map(({ body }) => body).join('\n')
  if (code !== undefined && !text.includes(code)) broken.push(`the error is not ${code}: ${text.slice(0, 200)}`)
  if (field !== undefined && !text.includes(`"${field}"`))
    broken.push(`the error does not name ${field}: ${text.slice(0, 200)}`)
  return { answer: code === undefined ? answer : `${answer} ${code}`, broken }
}

/** What every answer must keep. */
function lawsBrokenBy({ status, headers, body }: HttpAnswer): string[] {
  const broken: string[] = []
  if (status === 0) broken.push(`the answer is not HTTP: ${body.slice(0, 100)}`)
  if (status >= 500 && status !== 503) broken.push(`the server answers ${status}: ${body.slice(0, 300)}`)
  if ((status === 503 || status === 429) && headers['retry-after'] === undefined)
    broken.push(`${status} without Retry-After`)
  if (status >= 400 && body !== '' && !isError(body)) broken.push(`the error is not in our form: ${body.slice(0, 200)}`)
  if (/node_modules|\.ts:\d+|at [\w.]+ \(/.test(body)) broken.push(`the answer shows our code: ${body.slice(0, 300)}`)
  return broken
}

/** Whether a body is an error: `{error: {code, message}}`, that of Connect, or receipts with problems. */
function isError(body: string): boolean {
  try {
    const parsed = JSON.parse(body) as Readonly<Record<string, unknown>>
    return 'error' in parsed || 'receipts' in parsed || ('code' in parsed && 'message' in parsed)
  } catch {
    return false
  }
}

interface BatchAnswer {
  readonly accepted?: number
  readonly receipts?: readonly {
    readonly token?: string
    readonly field?: string
    readonly code?: string
    readonly message?: string
  }[]
}

/** What a batch with any event between two good ones breaks: the event is accepted, or exactly it is rejected and named. */
export function brokenByAnyEvent(answers: readonly HttpAnswer[]): readonly string[] {
  const [first] = answers
  const named = /"field":"engagements\[1\]/.test(first?.body ?? '')
  const verdict = named
    ? { broken: answers.flatMap((each) => lawsBrokenBy(each)), accepted: acceptedIn(first) === 2 }
    : { ...judgeEvents({ about: '', list: 'engagements' }, answers), accepted: true }
  return verdict.accepted
    ? verdict.broken
    : [...verdict.broken, `the good events were not accepted: ${first?.body.slice(0, 300)}`]
}

function acceptedIn(answer: HttpAnswer | undefined): number | undefined {
  return (JSON.parse(answer?.body ?? '{}') as BatchAnswer).accepted
}

/** Judges the answer to a batch whose second event is the hostile one. */
export function judgeEvents({ list, field, code }: EventCase, answers: readonly HttpAnswer[]): Verdict {
  const [first] = answers
  const broken = answers.flatMap((each) => lawsBrokenBy(each))
  if (first?.status !== 202)
    return {
      answer: String(first?.status),
      broken: [...broken, `the batch gets ${first?.status}: ${first?.body.slice(0, 300)}`],
    }
  const { accepted, receipts = [] } = JSON.parse(first.body) as BatchAnswer
  const receipt = receipts[1]
  if (field === undefined) {
    return {
      answer: 'accepted',
      broken: accepted === 3 ? broken : [...broken, `the event is rejected: ${receipt?.message}`],
    }
  }
  const wanted = field === '' ? `${list}[1]` : `${list}[1].${field}`
  if (accepted !== 2 || receipts[0]?.token === undefined || receipts[2]?.token === undefined)
    broken.push(`${accepted} of the two good events were accepted`)
  if (receipt?.field !== wanted)
    broken.push(`the receipt names ${receipt?.field ?? 'no field'}, not ${wanted}: ${receipt?.message}`)
  if (receipt?.message?.includes(wanted) !== true)
    broken.push(`the message does not name ${wanted}: ${receipt?.message}`)
  if (code !== undefined && receipt?.code !== code) broken.push(`the code is ${receipt?.code}, not ${code}`)
  return { answer: `${receipt?.code} at ${receipt?.field}`, broken }
}

/** Statuses that blame the server. UNAVAILABLE means overload. */
const serverFaults = ['UNKNOWN', 'INTERNAL', 'DATA_LOSS']

/** Judges what calls of gRPC ended with. */
export function judgeGrpc({ answer: wanted, code }: GrpcCase, answers: readonly GrpcAnswer[]): Verdict {
  const kinds = [...new Set(answers.map(({ status }) => status))]
  const answer = kinds.join(' ')
  const broken = kinds
    .filter((kind) => serverFaults.includes(kind) || kind.startsWith('HTTP 5'))
    .map(
      (kind) => `the server answers ${kind}: ${answers.find(({ status }) => status === kind)?.message.slice(0, 300)}`,
    )
  const isClosed = (kind: string): boolean => ['RESET', 'NOT SENT'].includes(kind)
  const isRefused = (kind: string): boolean => !isClosed(kind) && kind !== 'OK' && kind !== 'SILENT'
  const fits = {
    accepted: () => kinds.every((kind) => kind === 'OK'),
    refused: () => kinds.every(isRefused),
    closed: () => kinds.every(isClosed),
    'refused or closed': () => kinds.every((kind) => isRefused(kind) || isClosed(kind)),
    overloaded: () => kinds.includes('RESOURCE_EXHAUSTED') || kinds.includes('UNAVAILABLE'),
    any: () => true,
  }
  if (!fits[wanted]()) broken.push(`wanted: ${wanted}; got ${answer}: ${answers[0]?.message.slice(0, 200)}`)
  if (code !== undefined && !kinds.includes(code)) broken.push(`the status is ${answer}, not ${code}`)
  return { answer, broken }
}
