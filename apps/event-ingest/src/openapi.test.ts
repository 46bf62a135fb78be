import { connect } from 'node:net'
import { listen } from '@freshet/service/http-app'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anEngagement, nowMs, startIngest } from './testing.ts'

interface Schema {
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>>
  >
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const started = await startIngest({ config: { maxBodyBytes: 1 << 20, maxBatchEvents: 3 } })
const { app } = started
const document = (await app.inject({ url: '/openapi.json' })).json<Document>()
const { Engagement, Pin, Creator, Board } = document.components.schemas as Record<
  'Engagement' | 'Pin' | 'Creator' | 'Board',
  Schema
>
/** The smallest entry of each list of the catalogue. */
const smallest: Readonly<Record<string, object>> = {
  pins: { pinId: 'p' },
  creators: { creatorId: 'c' },
  boards: { boardId: 'b' },
}

/** Values that the schema of a field allows, at its bounds. */
function validOf(field: string, schema: Schema): unknown[] {
  if (schema.enum !== undefined) return [...schema.enum]
  if (schema.format === 'date-time') return ['2026-01-31T11:59:59Z', '2026-01-31T13:59:58.500+02:00']
  if (schema.format === 'uri') return ['https://images.example/1.jpg', 'http://a.example/']
  if (field === 'locale') return ['de-DE', 'en', 'pt-BR']
  switch (schema.type) {
    case 'boolean':
      return [true, false]
    case 'integer':
      return [schema.minimum, schema.maximum, schema.minimum! + 1]
    case 'number':
      return schema.minimum === undefined ? [0.25, -1e30, 3] : [schema.minimum, schema.maximum, 0.25]
    case 'string':
      return ['x'.repeat(Math.max(1, schema.minLength ?? 0)), 'y'.repeat(schema.maxLength!), 'größe🙂']
    default: {
      const element = validOf(field, schema.items!)[0]
      const listOf = (count: number): unknown[] => Array.from({ length: count }, () => element)
      return [listOf(schema.maxItems!), listOf(1), ...(schema.minItems === undefined ? [[]] : [])]
    }
  }
}

/** Values that the schema of a field forbids, just beyond its bounds. */
function invalidOf(field: string, schema: Schema): unknown[] {
  const wrongTypes = [{}, null, ...(schema.type === 'boolean' ? ['true', 1] : [true])]
  if (schema.enum !== undefined) return [...wrongTypes, 'nothing of these', schema.enum[0]!.toUpperCase(), '']
  if (schema.format === 'date-time') return [...wrongTypes, 'yesterday', '2026-02-30T12:00:00Z', '2026-01-31', nowMs]
  if (schema.format === 'uri') return [...wrongTypes, 'images/1.jpg', 'x'.repeat(schema.maxLength! + 1)]
  switch (schema.type) {
    case 'boolean':
      return wrongTypes
    case 'integer':
      return [...wrongTypes, schema.minimum! - 1, schema.maximum! + 1, schema.minimum! + 0.5, String(schema.minimum)]
    case 'number':
      return [
        ...wrongTypes,
        '0.25',
        1e300,
        ...(schema.minimum === undefined ? [] : [schema.minimum * 0.9, schema.maximum! * 1.1, -1]),
      ]
    case 'string': {
      const tooShort = (schema.minLength ?? 0) > 0 ? [''] : []
      const blanks = [' a', 'a ', 'a b'].filter((value) => !fits(schema, value))
      return [...wrongTypes, ...tooShort, ...blanks, 'x'.repeat(schema.maxLength! + 1), 7, 'a\u0000b']
    }
    default: {
      const element = validOf(field, schema.items!)[0]
      const tooMany = Array.from({ length: schema.maxItems! + 1 }, () => element)
      const elements = invalidOf(field, schema.items!).map((wrong) => [element, wrong])
      return [...wrongTypes, tooMany, ...elements, ...(schema.minItems === undefined ? [] : [[]])]
    }
  }
}

const fits = ({ pattern }: Schema, value: unknown): boolean =>
  pattern === undefined || (typeof value === 'string' && new RegExp(pattern, 'u').test(value))

/** A body around one field that the parser accepts if the field is fine. */
function engagementWith(field: string, value: unknown): Readonly<Record<string, unknown>> {
  const about = { eventId: 'e', userId: 'u', action: 'click', pinId: 'p', occurredAt: new Date(nowMs).toISOString() }
  if (field === 'action') {
    const isAboutOthers = ['follow', 'unfollow', 'block', 'unblock'].includes(String(value))
    return { ...about, action: value, ...(isAboutOthers && { pinId: undefined, topicId: 't' }) }
  }
  if (field === 'boardId') return { ...about, action: 'save', boardId: value }
  if (['creatorId', 'topicId', 'word'].includes(field))
    return { ...about, action: 'block', pinId: undefined, [field]: value }
  return { ...about, [field]: value }
}

async function verdict(url: string, body: unknown): Promise<boolean> {
  const { statusCode } = await app.inject({ method: 'POST', url, payload: body as object })
  if (statusCode !== 202 && statusCode !== 400) throw new Error(`${url} answered ${statusCode}`)
  return statusCode === 202
}

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1, and all its references lead somewhere', () => {
    expect(document.openapi).toBe('3.1.0')
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name!,
    )
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([])
  })

  it('names every route of the server, and no other', async () => {
    await app.ready()
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({
        method: method.toUpperCase(),
        url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      })),
    )
    expect(documented.filter(({ method, url }) => !app.hasRoute({ method: method, url }))).toEqual([])
    // One line for each path, with its methods. Fastify adds HEAD to GET, and the plugin for CORS adds OPTIONS.
    const served = [...app.printRoutes({ commonPrefix: false }).matchAll(/ \(([^)]+)\)$/gm)]
      .flatMap(([, methods]) => methods!.split(', '))
      .filter((method) => method !== 'HEAD' && method !== 'OPTIONS')
    expect(served.length).toBe(documented.length)
  })

  const fields = [
    ...Object.entries(Engagement.properties!).map((each) => ['engagements', ...each] as const),
    ...Object.entries(Pin.properties!).map((each) => ['pins', ...each] as const),
    ...Object.entries(Creator.properties!).map((each) => ['creators', ...each] as const),
    ...Object.entries(Board.properties!).map((each) => ['boards', ...each] as const),
  ]
  it.each(fields)('says of %s.%s what the parser says', async (list, field, schema) => {
    const body = (value: unknown): object =>
      list in smallest ? { ...smallest[list], [field]: value } : engagementWith(field, value)
    const [accepted, refused] = [
      validOf(field, schema).filter((value) => fits(schema, value)),
      invalidOf(field, schema),
    ]
    expect(accepted.length).toBeGreaterThan(0)
    for (const value of accepted) expect([value, await verdict(`/v1/${list}`, body(value))]).toEqual([value, true])
    for (const value of refused) expect([value, await verdict(`/v1/${list}`, body(value))]).toEqual([value, false])
  })

  it('says which fields are required, and that there are no others', async () => {
    for (const field of Engagement.required!)
      expect(await verdict('/v1/engagements', anEngagement({ [field]: undefined }))).toBe(false)
    expect(await verdict('/v1/engagements', anEngagement())).toBe(true)
    expect(await verdict('/v1/engagements', anEngagement({ colour: 'red' }))).toBe(Engagement.additionalProperties)
    expect(await verdict('/v1/pins', { pinId: 'p', colour: 'red' })).toBe(Pin.additionalProperties)
    expect(await verdict('/v1/pins', { title: 'x' })).toBe(false)
    for (const [list, { properties, required }] of [
      ['pins', Pin],
      ['creators', Creator],
      ['boards', Board],
    ] as const) {
      expect(await verdict(`/v1/${list}`, { deleted: true })).toBe(false)
      for (const field of Object.keys(properties!).filter((name) => !required!.includes(name)))
        expect(await verdict(`/v1/${list}`, { ...smallest[list], [field]: undefined })).toBe(true)
    }
  })

  it('decides about random pins as the parser does', async () => {
    const choices = Object.entries(Pin.properties!)
      // A pin must not expire before it is available, which JSON Schema cannot say.
      .filter(([field]) => field !== 'expiresAt')
      .map(([field, schema]) =>
        fc
          .oneof(
            {
              weight: 8,
              arbitrary: fc.constantFrom(...validOf(field, schema)).map((value) => ({ value, isValid: true })),
            },
            {
              weight: 1,
              arbitrary: fc.constantFrom(...invalidOf(field, schema)).map((value) => ({ value, isValid: false })),
            },
          )
          .map((drawn) => ({ field, ...drawn, isValid: drawn.isValid && fits(schema, drawn.value) })),
      )
    await fc.assert(
      fc.asyncProperty(fc.tuple(...choices), fc.infiniteStream(fc.boolean()), async (all, given) => {
        const used = all.filter(({ field }) => field === 'pinId' || given.next().value === true)
        const body = Object.fromEntries(used.map(({ field, value }) => [field, value]))
        expect(await verdict('/v1/pins', body)).toBe(used.every(({ isValid }) => isValid))
      }),
      { numRuns: 60 },
    )
  })
})

type Sample = readonly [code: string, body: unknown, options?: Readonly<Record<string, string>>]
const e = anEngagement
const deep = JSON.parse('['.repeat(30) + ']'.repeat(30)) as unknown
const bodySamples: Sample[] = [
  ['BODY_MALFORMED', '{'],
  ['BODY_TOO_LARGE', `"${'x'.repeat(2 << 20)}"`],
  ['CONTENT_TYPE', 'x', { 'content-type': 'text/plain' }],
]
const batchSamples = (list: string): Sample[] => [
  ...bodySamples,
  ['BODY_SHAPE', 7],
  ['BODY_TOO_DEEP', deep],
  ['BATCH_EMPTY', { [list]: [] }],
  ['BATCH_TOO_LARGE', { [list]: [1, 2, 3, 4] }],
  ['EVENT_FIELD_UNKNOWN', { [list]: [{}], colour: 1 }],
]
const entrySamples = (list: string, idField: string): Sample[] => [
  ['EVENT_SHAPE', { [list]: [1] }],
  ['EVENT_TOO_DEEP', { [idField]: deep }],
  ['EVENT_FIELD_MISSING', { deleted: true }],
  ['EVENT_FIELD_TYPE', { [idField]: 7 }],
  ['EVENT_FIELD_VALUE', { [idField]: 'x', version: 0 }],
  ['EVENT_ID_INVALID', { [idField]: ' a' }],
]
const ms = (offset: number): string => new Date(nowMs + offset).toISOString()
const samples: Readonly<Record<string, readonly Sample[]>> = {
  'POST /v1/engagements': [
    ...batchSamples('engagements'),
    ['EVENT_TIME_INVALID', { engagements: [{}], sentAt: 'now' }],
    ['EVENT_FIELD_TYPE', { engagements: [{}], clockOffsetMs: 'x' }],
    ['EVENT_FIELD_VALUE', { engagements: [{}], clockOffsetMs: 0.5 }],
    ['EVENT_SHAPE', { engagements: [1] }],
    ['EVENT_TOO_DEEP', e({ pinId: deep })],
    ['EVENT_FIELD_MISSING', e({ pinId: undefined })],
    ['EVENT_FIELD_TYPE', e({ pinId: 7 })],
    ['EVENT_FIELD_UNKNOWN', e({ colour: 1 })],
    ['EVENT_FIELD_VALUE', e({ action: 'shout' })],
    ['EVENT_ID_INVALID', e({ pinId: 'a b' })],
    ['EVENT_TIME_INVALID', e({ occurredAt: 'now' })],
    ['EVENT_TIME_PAST', e({ occurredAt: ms(-3e9) })],
    ['EVENT_TIME_FUTURE', e({ occurredAt: ms(3e9) })],
    ['EVENT_SUBJECT', e({ topicId: 't' })],
  ],
  'POST /v1/pins': [
    ...batchSamples('pins'),
    ['EVENT_SHAPE', { pins: [1] }],
    ['EVENT_TOO_DEEP', { pinId: deep }],
    ['EVENT_FIELD_MISSING', { title: 'x' }],
    ['EVENT_FIELD_TYPE', { pinId: 7 }],
    ['EVENT_FIELD_VALUE', { pinId: 'p', minAge: 100 }],
    ['EVENT_ID_INVALID', { pinId: 'a b' }],
    ['EVENT_TIME_INVALID', { pinId: 'p', createdAt: 'now' }],
    ['EVENT_TEXT_INVALID', { pinId: 'p', title: 'x'.repeat(501) }],
    ['EMBEDDING_INVALID', { pinId: 'p', visualEmbedding: [0] }],
    ['EVENT_TOO_LARGE', { pinId: 'p', description: 'x'.repeat(5_000) }],
  ],
  'POST /v1/creators': [
    ...batchSamples('creators'),
    ...entrySamples('creators', 'creatorId'),
    ['EVENT_TEXT_INVALID', { creatorId: 'c', name: 'x'.repeat(201) }],
  ],
  'POST /v1/boards': [...batchSamples('boards'), ...entrySamples('boards', 'boardId')],
  'POST /v1/users/{id}/merge': [
    ...bodySamples,
    ['BODY_SHAPE', 7],
    ['EVENT_FIELD_UNKNOWN', { intoUserId: 'b', colour: 1 }],
    ['EVENT_FIELD_TYPE', { intoUserId: 'b', occurredAt: 7 }],
    ['EVENT_TIME_INVALID', { intoUserId: 'b', occurredAt: 'now' }],
    ['EVENT_FIELD_MISSING', { intoUserId: '' }],
    ['EVENT_FIELD_TYPE', { intoUserId: 7 }],
    ['EVENT_ID_INVALID', { intoUserId: 'a b' }],
    ['EVENT_TIME_PAST', { intoUserId: 'b', occurredAt: ms(-3e9) }],
    ['EVENT_TIME_FUTURE', { intoUserId: 'b', occurredAt: ms(3e9) }],
    ['MERGE_SAME_USER', { intoUserId: 'a' }],
  ],
  'DELETE /v1/users/{id}': [],
}
const good: Readonly<Record<string, unknown>> = {
  'POST /v1/engagements': anEngagement(),
  'POST /v1/pins': { pinId: 'p' },
  'POST /v1/creators': { creatorId: 'c' },
  'POST /v1/boards': { boardId: 'b' },
  'POST /v1/users/{id}/merge': { intoUserId: 'b' },
  'DELETE /v1/users/{id}': undefined,
}

/** The codes that the document names for a route and status. */
function documentedCodes(route: string, status: number): string[] {
  const [method, path] = route.split(' ') as [string, string]
  const response = document.paths[path]![method.toLowerCase()]!.responses[String(status)]
  const found = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { code } = value as { code?: { enum?: readonly string[] } }
    for (const each of code?.enum ?? []) found.add(each)
    Object.values(value).forEach(visit)
  }
  visit(response)
  return [...found].toSorted()
}

describe.each(Object.keys(samples))('the codes of %s', (route) => {
  const [method, path] = route.split(' ') as ['POST' | 'DELETE', string]

  it('are those that it answers with', async () => {
    const { app, log, ingest } = await startIngest({
      config: { maxBodyBytes: 1 << 20, maxBatchEvents: 3, maxEventBytes: 4_096 },
    })
    const found = new Map<number, Set<string>>()
    const note = (status: number, code: string): void =>
      void found.set(status, (found.get(status) ?? new Set()).add(code))
    const send = async (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
      const given = { 'content-type': 'application/json', ...headers }
      const payload = typeof body === 'string' ? body : JSON.stringify(body)
      const answer = await app.inject({ method, url, ...(body !== undefined && { payload, headers: given }) })
      const { error, receipts } = answer.json<{ error?: { code: string }; receipts?: { code?: string }[] }>()
      return { status: answer.statusCode, code: error?.code ?? receipts?.[0]?.code ?? '' }
    }
    for (const [code, body, headers] of samples[route]!) {
      const answer = await send(path.replace('{id}', 'a'), body, headers)
      expect(answer.code).toBe(code)
      note(answer.status, code)
    }
    if (method === 'DELETE') {
      const { status, code } = await send('/v1/users/a%20b', undefined)
      note(status, code)
    }
    for (const failure of ['LOG_UNAVAILABLE', new Error('a defect')] as const) {
      log.fail(failure)
      const { status, code } = await send(path.replace('{id}', 'a'), good[route])
      note(status, code)
    }
    const release = ingest.inFlight.take(64 << 20)
    const { status, code } = await send(path.replace('{id}', 'a'), good[route])
    release?.()
    note(status, code)
    if (method === 'POST') note(408, await slowRequest(path.replace('{id}', 'a')))
    for (const [status, codes] of found)
      expect([status, documentedCodes(route, status)]).toEqual([status, [...codes].toSorted()])
    const statuses = Object.keys(document.paths[path]![method.toLowerCase()]!.responses).map(Number)
    expect(statuses.filter((each) => ![202, 401, 403].includes(each)).toSorted()).toEqual([...found.keys()].toSorted())
  })
})

/** The code of the answer to a request whose body does not come. */
async function slowRequest(path: string): Promise<string> {
  const { app } = await startIngest({ limits: { maxReceiveMs: 100 } })
  const port = await listen(app, '127.0.0.1', 0)
  const answer = await new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{`)
    })
    socket.on('data', (bytes) => (text += bytes.toString()))
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
  await app.close()
  return (JSON.parse(answer.slice(answer.indexOf('{'))) as { error: { code: string } }).error.code
}
