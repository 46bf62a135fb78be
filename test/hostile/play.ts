import { setTimeout as sleep } from 'node:timers/promises'
import type { EventCase, GrpcCase, HostileCase, HttpCase, NamedCase, RawCase, RecordCase } from './cases.ts'
import { brokenByAnyEvent, judgeAnswer, judgeEvents, judgeGrpc, type Verdict } from './judge.ts'
import { anEngagement, bytesOf, type Piece } from './pieces.ts'
import { callGrpc } from './send-grpc.ts'
import { answersIn, sendRaw, type HttpAnswer } from './send-raw.ts'
import type { Readings } from './target-messages.ts'
import type { Target } from './target-process.ts'

/** What became of one case. */
export interface Played {
  readonly name: string
  /** What came back, in a few words. */
  readonly answer: string
  /** The laws that it broke; none: all held. */
  readonly broken: readonly string[]
  /** Growth of resident memory while it was played, bytes. */
  readonly grownBytes: number
  readonly ms: number
}

/** No case may need more resident memory than this for a moment. */
const mostGrownBytes = 192 << 20
/** Nor one whose body unpacks to much. */
const mostUnpackingBytes = 50 << 20

/** Plays one case against the target and looks whether the laws held. `probe`: whether valid requests come after it. */
export async function playCase(target: Target, { name, hostile }: NamedCase, probe = true): Promise<Played> {
  const before = await target.read()
  const startedAt = performance.now()
  const verdict = await played(target, hostile, before)
  const ms = performance.now() - startedAt
  const after = target.ended() === null ? await target.read() : null
  const grownBytes = (after?.peakRss ?? 0) - before.rss
  const isGrpc = 'grpc' in hostile || ('raw' in hostile && hostile.raw.to === 'grpc')
  const ended = target.ended()
  const broken = [
    ...(ended === null ? [] : [ended]),
    ...verdict.broken,
    ...(probe ? await nextBroken(target, isGrpc) : []),
    ...errorsOf(after),
    ...(grownBytes > (isPacked(name) ? mostUnpackingBytes : mostGrownBytes)
      ? [`memory grew by ${grownBytes >> 20} MiB`]
      : []),
  ]
  return { name, answer: verdict.answer, broken, grownBytes, ms }
}

function isPacked(name: string): boolean {
  return name.startsWith('encodings/') || name.includes('bomb')
}

async function played(target: Target, hostile: HostileCase, before: Readings): Promise<Verdict> {
  try {
    if ('http' in hostile) return await playHttp(target, hostile)
    if ('raw' in hostile) return await playRaw(target, hostile)
    if ('grpc' in hostile) return await playGrpc(target, hostile)
    if ('record' in hostile) return await playRecord(target, hostile, before)
    return await playEvent(target, hostile)
  } catch (error) {
    return { answer: 'none', broken: [`the case could not be played: ${(error as Error).message}`] }
  }
}

function errorsOf(readings: Readings | null): string[] {
  return (readings?.errors ?? []).map((error) => `unhandled or a defect: ${error.slice(0, 600)}`)
}

/** A valid request after the case must be served, and what it writes must be folded. */
export async function nextBroken(target: Target, grpc: boolean): Promise<string[]> {
  if (target.ended() !== null) return []
  const { ingest, feed } = target.ports
  try {
    const [event] = await post(ingest, '/v1/engagements', JSON.stringify(anEngagement()))
    if (event?.status !== 202) return [`the next valid event gets ${describe(event)}`]
    const token = /"token":"([^"]+)"/.exec(event.body)?.[1] ?? ''
    const request = JSON.stringify({ userId: 'hostile-user', pageSize: 5, after: [token] })
    const [page] = await post(feed, '/v1/feed', request)
    if (page?.status !== 200) return [`the next valid feed gets ${describe(page)}`]
    if (!page.body.includes('CURRENT')) return [`the next event is not folded: ${page.body.slice(0, 300)}`]
    return grpc ? await nextGrpcBroken(target) : []
  } catch (error) {
    return [`the next valid request fails: ${(error as Error).message}`]
  }
}

async function nextGrpcBroken(target: Target): Promise<string[]> {
  const message = {
    engagements: [
      {
        eventId: `g${performance.now()}`,
        userId: 'hostile-user',
        action: 'ACTION_CLICK',
        pinId: 'pin-1',
        occurredAtMs: Date.now(),
      },
    ],
  }
  const data = bytesOf({ frame: { message: 'PostEngagementsRequest', value: message } })
  const path = '/freshet.ingest.v1.EventIngest/PostEngagements'
  const [answer] = await callGrpc(target.ports.grpc, { path, headers: {}, data, calls: 1, reset: false, open: false })
  return answer?.status === 'OK' ? [] : [`the next valid call gets ${answer?.status}: ${answer?.message}`]
}

/** Posts JSON on a connection of its own. */
async function post(port: number, path: string, body: string | Buffer): Promise<HttpAnswer[]> {
  const bytes = requestBytes({ method: 'POST', path, headers: {}, body: Buffer.from(body) })
  const { bytes: answer } = await sendRaw(port, [bytes], { quietMs: 0, patienceMs: 10_000 })
  return answersIn(answer)
}

async function playHttp(target: Target, hostile: HttpCase): Promise<Verdict> {
  const { to, method, path, headers, body, chunkBytes } = hostile.http
  const bytes = requestBytes({ method, path, headers, body: body === undefined ? null : bytesOf(body) })
  const steps = chunkBytes === undefined ? [bytes] : partsOf(bytes, chunkBytes)
  const { bytes: received, closed } = await sendRaw(target.ports[to], steps, { quietMs: 20 })
  return judgeAnswer(hostile, answersIn(received), closed)
}

function partsOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

/** The bytes of a request whose headers give way to those of the case; an empty header is left out. */
function requestBytes(request: {
  readonly method: string
  readonly path: Piece
  readonly headers: Readonly<Record<string, Piece>>
  readonly body: Buffer | null
}): Buffer {
  const { method, path, body } = request
  const standard = {
    host: 'localhost',
    ...(body !== null && { 'content-type': 'application/json', 'content-length': String(body.length) }),
  }
  const lines = Object.entries<Piece>({ ...standard, ...request.headers }).map(([name, value]): Piece =>
    value === '' ? '' : [`${name}: `, value, '\r\n'],
  )
  const head = bytesOf([`${method} `, path, ' HTTP/1.1\r\n', lines, '\r\n'])
  return body === null ? head : Buffer.concat([head, body])
}

async function playRaw(target: Target, hostile: RawCase): Promise<Verdict> {
  const { to, send, connections, end, reset } = hostile.raw
  const steps = send.map((step) => (typeof step === 'object' && 'pauseMs' in step ? step.pauseMs : bytesOf(step)))
  const one = () => sendRaw(target.ports[to], steps, { end, reset })
  const all = await Promise.all(Array.from({ length: connections }, one))
  const closed = all.every((each) => each.closed)
  if (reset) return { answer: 'broken off', broken: [] }
  if (to === 'grpc')
    return {
      answer: closed ? 'closed' : 'open',
      broken: hostile.answer === 'closed' && !closed ? ['the connection stays open'] : [],
    }
  const answers = all.flatMap(({ bytes }) => answersIn(bytes))
  const verdict = judgeAnswer(hostile, answers, closed)
  const statuses = answers.map(({ status }) => status)
  if (hostile.statuses === undefined || String(statuses) === String(hostile.statuses)) return verdict
  return {
    ...verdict,
    broken: [...verdict.broken, `wanted the answers ${String(hostile.statuses)}, got ${String(statuses)}`],
  }
}

const base = {
  engagements: anEngagement,
  pins: () => ({ pinId: 'hostile-pin' }),
  boards: () => ({ boardId: 'hostile-board' }),
}

/** What a batch with this event between two good ones breaks, whatever the event is. */
export async function brokenByEvent(target: Target, eventText: string): Promise<readonly string[]> {
  const body = batchOf({ about: '', list: 'engagements', eventText })
  return [
    ...brokenByAnyEvent(await post(target.ports.ingest, '/v1/engagements', body)),
    ...errorsOf(await target.read()),
  ]
}

async function playEvent(target: Target, hostile: EventCase): Promise<Verdict> {
  return judgeEvents(hostile, await post(target.ports.ingest, `/v1/${hostile.list}`, batchOf(hostile)))
}

/** A batch of two good events with the hostile one between them. */
function batchOf(hostile: EventCase): Buffer {
  const { list, event = {}, eventText } = hostile
  const fields = base[list]()
  const good = JSON.stringify(base[list]())
  const text =
    eventText === undefined
      ? JSON.stringify({ ...fields, ...event })
      : // Bytes as characters, because they may not be UTF-8.
        bytesOf(eventText).toString('latin1').replace('@', JSON.stringify(fields).slice(1, -1))
  const around = [`{"${list}":[${good},`, `,${good}]}`] as const
  return Buffer.concat([Buffer.from(around[0]), textBytes(text, eventText), Buffer.from(around[1])])
}

function textBytes(text: string, eventText: Piece | undefined): Buffer {
  return Buffer.from(text, eventText === undefined ? 'utf8' : 'latin1')
}

async function playGrpc(target: Target, hostile: GrpcCase): Promise<Verdict> {
  const { path, headers, data, calls, reset, open } = hostile.grpc
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, textOf(value)]))
  const call = { path: textOf(path), headers: texts, data: bytesOf(data), calls, reset, open }
  const answers = await callGrpc(target.ports.grpc, call)
  return judgeGrpc(hostile, answers)
}

async function playRecord(target: Target, { record, fold }: RecordCase, before: Readings): Promise<Verdict> {
  const { topic, key, value, headers, partition } = record
  await target.append({
    topic,
    key,
    value: value === null ? null : bytesOf(value).toString('base64'),
    partition,
    ...(headers && { headers }),
  })
  const sum = ({ noticed }: Readings): number => Object.values(noticed).reduce((total, count) => total + count, 0)
  let after = await target.read()
  const reported = [...after.reported]
  const errors = [...after.errors]
  const isBehind = ({ folded }: Readings): boolean => Object.values(folded).some((records) => records > 0)
  for (
    let i = 0;
    i < 100 && (isBehind(after) || (fold === 'noticed' && sum(after) + reported.length === sum(before)));
    i++
  ) {
    await sleep(20)
    after = await target.read()
    reported.push(...after.reported)
    errors.push(...after.errors)
  }
  const by = Object.entries(after.noticed).filter(([part, count]) => count > (before.noticed[part] ?? 0))
  const noticed = [...by.map(([part]) => part), ...reported]
  const broken = [
    ...errors,
    ...(isBehind(after) ? [`folds stand still: ${JSON.stringify(after.folded)}`] : []),
    ...(after.notReady === null ? [] : [`not ready: ${after.notReady}`]),
    ...(fold === 'noticed' && noticed.length === 0 ? ['nobody noticed the record'] : []),
  ]
  return { answer: noticed.length === 0 ? 'passed over' : `noticed by ${noticed.join(', ')}`.slice(0, 120), broken }
}

function textOf(piece: Piece): string {
  return bytesOf(piece).toString('latin1')
}

function describe(answer: HttpAnswer | undefined): string {
  return answer === undefined ? 'no answer' : `${answer.status} ${answer.body.slice(0, 200)}`
}
