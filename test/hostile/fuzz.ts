import type { Random } from '@freshet/domain/clock'
import fc from 'fast-check'
import type { HostileCase } from './cases.ts'
import { anEngagement, bytesOf, type Piece } from './pieces.ts'

/** A real request or record, before it is mutated. */
interface Seedling {
  readonly name: string
  readonly bytes: () => Buffer
  /** The case that sends the mutated bytes. */
  readonly of: (mutated: Buffer) => HostileCase
}

const about = 'a mutated request'
const piece = (bytes: Buffer): Piece => ({ base64: bytes.toString('base64') })

const feed =
  '{"userId":"u","pageSize":5,"filter":{"topicIds":["a"],"maxAgeMs":1000,"seenPinIds":["p"]},"explain":true,"locale":"de"}'
const pins =
  '{"pins":[{"pinId":"p1","title":"Red","topics":["a","b"],"visualEmbedding":[1,2.5],"minAge":3,"createdAt":"2026-01-31T12:00:00.000Z"},{"pinId":"p2","deleted":true}]}'

function jsonOver(name: string, to: 'ingest' | 'feed', path: string, body: () => Buffer): Seedling {
  const http = { to, method: 'POST', path, headers: {} }
  return { name, bytes: body, of: (mutated) => ({ about, http: { ...http, body: piece(mutated) }, answer: 'any' }) }
}

function rawRequest(name: string, to: 'ingest' | 'feed', text: () => string): Seedling {
  const raw = { to, connections: 1, end: true, reset: false }
  return {
    name,
    bytes: () => Buffer.from(text()),
    of: (mutated) => ({ about, raw: { ...raw, send: [piece(mutated)] }, answer: 'any' }),
  }
}

function grpcCall(name: string, path: string, message: Piece): Seedling {
  const call = { path, headers: {}, calls: 1, reset: false, open: false }
  return {
    name,
    bytes: () => bytesOf(message),
    of: (mutated) => ({ about, grpc: { ...call, data: { frame: piece(mutated) } }, answer: 'any' }),
  }
}

/** `layoutAt`: where the number of the layout is. It stays 1: a process that meets a newer one waits for an update, as it must. */
function record(topic: string, golden: string, layoutAt?: number): Seedling {
  const readable = (bytes: Buffer): Buffer => {
    if (layoutAt === undefined || bytes.length <= layoutAt) return bytes
    const own = Buffer.from(bytes)
    own[layoutAt] = 1
    return own
  }
  return {
    name: `record of ${topic}`,
    bytes: () => readable(bytesOf({ golden })),
    of: (mutated) => ({
      about,
      record: { topic, key: 'hostile-user', value: piece(readable(mutated)), partition: null },
      fold: 'passed over',
    }),
  }
}

const seedlings: readonly Seedling[] = [
  jsonOver('engagements', 'ingest', '/v1/engagements', () =>
    bytesOf({ engagements: 3, with: { position: 3, dwellMs: 5, surface: 'home' } }),
  ),
  jsonOver('pins', 'ingest', '/v1/pins', () => Buffer.from(pins)),
  jsonOver('merge', 'ingest', '/v1/users/u9/merge', () =>
    Buffer.from('{"intoUserId":"u8","occurredAt":"2026-01-31T12:00:00.000Z"}'),
  ),
  jsonOver('feed', 'feed', '/v1/feed', () => Buffer.from(feed)),
  jsonOver('related', 'feed', '/v1/related', () => Buffer.from('{"userId":"u","pinId":"pin-1","pageSize":5}')),
  jsonOver('rank', 'feed', '/v1/rank', () => Buffer.from('{"userId":"u","pinIds":["a","b"]}')),
  jsonOver('connect', 'ingest', '/freshet.ingest.v1.EventIngest/PostEngagements', () =>
    Buffer.from(
      `{"engagements":[{"eventId":"e","userId":"u","pinId":"p","action":"ACTION_CLICK","occurredAtMs":"1769860800000","position":1}]}`,
    ),
  ),
  jsonOver('connect feed', 'feed', '/freshet.blending.v1.Blender/GetFeed', () => Buffer.from(feed)),
  rawRequest('post', 'ingest', () => {
    const body = JSON.stringify(anEngagement())
    return `POST /v1/engagements HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }),
  rawRequest('chunked', 'ingest', () => {
    const body = JSON.stringify(anEngagement())
    return `POST /v1/engagements HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  }),
  rawRequest(
    'get',
    'feed',
    () => 'GET /v1/feed?userId=u&pageSize=5&topicIds=a&explain=true HTTP/1.1\r\nhost: x\r\naccept: */*\r\n\r\n',
  ),
  rawRequest(
    'connect get',
    'feed',
    () =>
      'GET /freshet.blending.v1.Blender/GetFeed?connect=v1&encoding=json&message=%7B%22userId%22%3A%22u%22%7D HTTP/1.1\r\nhost: x\r\n\r\n',
  ),
  grpcCall('grpc engagements', '/freshet.ingest.v1.EventIngest/PostEngagements', {
    golden: 'freshet.ingest.v1.PostEngagementsRequest.2',
  }),
  grpcCall('grpc pins', '/freshet.ingest.v1.EventIngest/PostPins', { golden: 'freshet.ingest.v1.PostPinsRequest.2' }),
  grpcCall('grpc merge', '/freshet.ingest.v1.EventIngest/MergeUsers', {
    golden: 'freshet.ingest.v1.MergeUsersRequest.1',
  }),
  grpcCall('grpc feed', '/freshet.blending.v1.Blender/GetFeed', { golden: 'freshet.blending.v1.GetFeedRequest.3' }),
  grpcCall('grpc related', '/freshet.blending.v1.Blender/GetRelatedPins', {
    golden: 'freshet.blending.v1.GetRelatedPinsRequest.3',
  }),
  grpcCall('grpc rank', '/freshet.blending.v1.Blender/RankPins', { golden: 'freshet.blending.v1.RankPinsRequest.1' }),
  record('engagements.v1', 'freshet.engagement.v1.Engagement.1'),
  record('engagements.v1', 'freshet.engagement.v1.UserMerge.1', 2),
  record('pins.v1', 'freshet.catalogue.v1.Pin.2'),
  record('pin-engagements.v1', 'freshet.engagement.v1.PinEngagementBatch.1', 1),
  record('pin-engagements.v1', 'freshet.engagement.v1.PinEngagement.1'),
  record('pin-features.v1', 'freshet.state.v1.PinFeatures.2'),
  record('pin-embeddings.v1', 'freshet.model.v1.PinEmbedding.2'),
  record('models.v1', 'freshet.model.v1.ModelRecord.1'),
  record('feeds-served.v1', 'freshet.feed.v1.FeedServed.4'),
  record('erasures.v1', 'freshet.engagement.v1.UserErasure.1'),
]

/** What a fuzzer likes to insert: bytes on which parsers stumble. */
const tokens = [
  '"',
  '\\',
  '{',
  '[',
  ']',
  '}',
  ':',
  ',',
  '\r\n',
  '\0',
  '%',
  '1e999',
  '-0',
  'null',
  '__proto__',
  '\\ud800',
  '\u202e',
  '0',
  '-',
  ' ',
].map((text) => Buffer.from(text))
const odd = [
  Buffer.from([0xff]),
  Buffer.from([0x80]),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.from([0x0a, 0xff, 0x7f]),
]

/** One to four changes: a byte, a token, a part cut out, doubled or moved, or the end cut off. */
function mutated(bytes: Buffer, random: Random): Buffer {
  const below = (bound: number): number => Math.floor(random.next() * bound)
  let now = bytes
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(now.length + 1)
    const length = 1 + below(Math.min(16, now.length + 1))
    const [before, part, after] = [now.subarray(0, at), now.subarray(at, at + length), now.subarray(at + length)]
    const inserted = [...tokens, ...odd]
    switch (below(7)) {
      case 0:
        now = Buffer.concat([before, Buffer.from([below(256)]), now.subarray(at + 1)])
        break
      case 1:
        now = Buffer.concat([before, inserted[below(inserted.length)]!, now.subarray(at)])
        break
      case 2:
        now = Buffer.concat([before, inserted[below(inserted.length)]!, after])
        break
      case 3:
        now = Buffer.concat([before, after])
        break
      case 4:
        now = Buffer.concat([before, part, part, after])
        break
      case 5:
        now = Buffer.concat([after, part, before])
        break
      default:
        now = Buffer.from(before)
    }
  }
  return now
}

/** Mutated requests, the same for the same seed. */
export function* mutatedCases(
  random: Random,
  count: number,
): Generator<{ readonly name: string; readonly hostile: HostileCase }> {
  for (let i = 0; i < count; i++) {
    const { name, bytes, of } = seedlings[Math.floor(random.next() * seedlings.length)]!
    yield { name: `fuzz ${i}: ${name}`, hostile: of(mutated(bytes(), random)) }
  }
}

const fields = [
  'eventId',
  'userId',
  'sessionId',
  'action',
  'pinId',
  'boardId',
  'creatorId',
  'topicId',
  'word',
  'occurredAt',
  'feedId',
  'position',
  'surface',
  'dwellMs',
  'weight',
  '__proto__',
  'colour',
] as const

/** Any JSON text as the value of any field of an event; also texts that JSON can write but no value has. */
export const anyEventText: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...fields),
      fc.oneof(
        fc.json({ maxDepth: 3 }),
        fc.constantFrom(
          '1e999',
          '-1e999',
          '-0',
          '1e-400',
          '"\\ud800"',
          '"\\u0000"',
          '9007199254740993',
          '[[[[[]]]]]',
          '{"__proto__":1}',
          '""',
          'null',
          'true',
        ),
        fc.string({ unit: 'binary', maxLength: 200 }).map((text) => JSON.stringify(text)),
      ),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((changes) => `{@${changes.map(([field, value]) => `,${JSON.stringify(field)}:${value}`).join('')}}`)
