import { accessErrorCatalogue } from '@freshet/access/errors'
import { engagementRules } from '@freshet/contracts/json/engagement'
import { boardRules, creatorRules } from '@freshet/contracts/json/entry'
import { schemaOf, type FieldRule, type JsonSchema } from '@freshet/contracts/json/field-rules'
import { pinRules } from '@freshet/contracts/json/pin'
import { ingestProblems, type IngestCode } from '@freshet/contracts/json/problems'
import { version } from '@freshet/domain/version'
import type { IngestConfig } from './config.ts'
import { linesType } from './bulk-entries.ts'
import { batchedType, structuredType } from './connectors/cloudevents.ts'
import { segmentCalls } from './connectors/segment.ts'
import { clockOffsetRule } from './event-time.ts'

/** Codes that every route with a body can answer with. */
const bodyCodes = [
  'BODY_MALFORMED',
  'BODY_TOO_LARGE',
  'CONTENT_TYPE',
  'REQUEST_TIMEOUT',
  'INGEST_OVERLOADED',
  'INGEST_UNAVAILABLE',
  'INGEST_INTERNAL',
] as const satisfies readonly IngestCode[]

const batchCodes = [...bodyCodes, 'BODY_SHAPE', 'BODY_TOO_DEEP', 'BATCH_EMPTY', 'BATCH_TOO_LARGE'] as const

const entryCodes = [
  'EVENT_SHAPE',
  'EVENT_TOO_DEEP',
  'EVENT_FIELD_MISSING',
  'EVENT_FIELD_TYPE',
  'EVENT_FIELD_UNKNOWN',
  'EVENT_FIELD_VALUE',
  'EVENT_ID_INVALID',
] as const satisfies readonly IngestCode[]

const eventCodes = [...entryCodes, 'EVENT_TIME_INVALID'] as const

/** What the document says about a route. */
interface Operation {
  readonly summary: string
  readonly body?: JsonSchema
  /** The body of the answer if it succeeds, and its status. */
  readonly answer: JsonSchema
  readonly status: 200 | 202
  /** Codes for the request as a whole. */
  readonly refusals: readonly IngestCode[]
  /** Codes of receipts. If no event of a request is accepted, the status is 400. */
  readonly rejections?: readonly IngestCode[]
  readonly access: 'write' | 'admin' | 'public'
  readonly pathParameter?: string
  /** Content types of the body; absent: `application/json`. */
  readonly bodyTypes?: readonly string[]
  /** By the Connect protocol: errors have another form. */
  readonly isConnect?: true
}

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

/** The routes for events of other systems. */
function connectorOperations(): Readonly<Record<string, Operation>> {
  const answer = ref('ConnectorAnswer')
  const common = { answer, refusals: ['BODY_SHAPE', 'INGEST_UNAVAILABLE'], access: 'write' } as const
  const segment = [...segmentCalls, 'batch', 'import'].map((call): [string, Operation] => [
    `POST /v1/segment/v1/${call}`,
    { summary: `The call ${call} of Segment's tracking API`, body: { type: 'object' }, status: 200, ...common },
  ])
  return {
    'POST /v1/cloudevents': {
      summary: 'Accepts CloudEvents 1.0: structured, batched, or binary with headers ce-*',
      body: { anyOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' } }] },
      bodyTypes: [structuredType, batchedType, 'application/json'],
      status: 202,
      ...common,
    },
    ...Object.fromEntries(segment),
  }
}

/** The routes of one kind of the catalogue's entries. `schema`: the name of the schema of one. */
function entryOperations(
  list: string,
  schema: string,
  rejections: readonly IngestCode[],
): Readonly<Record<string, Operation>> {
  return {
    [`POST /v1/${list}`]: {
      summary: `Accepts one change of the catalogue's ${list} or a batch. Answers when the log has the valid ones`,
      body: { anyOf: [ref(schema), ref(`${schema}Batch`)] },
      answer: ref('Answer'),
      status: 202,
      refusals: [...batchCodes, 'EVENT_FIELD_UNKNOWN'],
      rejections: [...entryCodes, ...rejections],
      access: 'admin',
    },
    [`POST /v1/${list}/bulk`]: {
      summary: `Accepts a change of the catalogue's ${list} in each line, and answers with a line for each as soon as the log has it. The last line has \`done\``,
      body: ref(schema),
      bodyTypes: [linesType],
      answer: ref('BulkLine'),
      status: 200,
      refusals: [...bodyCodes, 'BATCH_EMPTY'],
      access: 'admin',
    },
  }
}

/** Every route, by method and path as OpenAPI writes it. */
function operations(): Readonly<Record<string, Operation>> {
  const connect = (method: string, access: Operation['access']): Readonly<Record<string, Operation>> => ({
    [`POST /freshet.ingest.v1.EventIngest/${method}`]: {
      summary: `${method} by the Connect protocol: proto3 JSON or protobuf of the messages in freshet/ingest/v1/ingest.proto`,
      body: { type: 'object', description: `freshet.ingest.v1.${method}Request in proto3 JSON` },
      answer: { type: 'object', description: `freshet.ingest.v1.${method}Response in proto3 JSON` },
      status: 200,
      refusals: ['BODY_MALFORMED', 'CONTENT_TYPE', 'INGEST_DEADLINE_EXCEEDED', 'INGEST_UNAVAILABLE'],
      access,
      isConnect: true,
    },
  })
  return {
    'GET /openapi.json': {
      summary: 'This document',
      answer: { type: 'object' },
      status: 200,
      refusals: [],
      access: 'public',
    },
    'POST /v1/engagements': {
      summary: 'Accepts one engagement or a batch. Answers when the log has the valid ones',
      body: { anyOf: [ref('Engagement'), ref('EngagementBatch')] },
      answer: ref('Answer'),
      status: 202,
      refusals: [...batchCodes, 'EVENT_FIELD_UNKNOWN', 'EVENT_TIME_INVALID', 'EVENT_FIELD_TYPE', 'EVENT_FIELD_VALUE'],
      rejections: [...eventCodes, 'EVENT_TIME_PAST', 'EVENT_TIME_FUTURE', 'EVENT_SUBJECT'],
      access: 'write',
    },
    ...entryOperations('pins', 'Pin', [
      'EVENT_TIME_INVALID',
      'EVENT_TEXT_INVALID',
      'EMBEDDING_INVALID',
      'EVENT_TOO_LARGE',
    ]),
    ...entryOperations('creators', 'Creator', ['EVENT_TEXT_INVALID']),
    ...entryOperations('boards', 'Board', []),
    'POST /v1/users/{id}/merge': {
      summary: 'Merges the anonymous user {id} into the known user that this person turned out to be',
      body: ref('Merge'),
      answer: ref('Answer'),
      status: 202,
      refusals: [...bodyCodes, 'BODY_SHAPE', 'EVENT_FIELD_UNKNOWN', 'EVENT_FIELD_TYPE', 'EVENT_TIME_INVALID'],
      rejections: [
        'EVENT_FIELD_MISSING',
        'EVENT_FIELD_TYPE',
        'EVENT_ID_INVALID',
        'EVENT_TIME_PAST',
        'EVENT_TIME_FUTURE',
        'MERGE_SAME_USER',
      ],
      access: 'write',
      pathParameter: 'id',
    },
    'DELETE /v1/users/{id}': {
      summary: 'Erases a user',
      answer: { type: 'object', properties: { userId: { type: 'string' } }, required: ['userId'] },
      status: 202,
      refusals: ['EVENT_ID_INVALID', 'INGEST_OVERLOADED', 'INGEST_UNAVAILABLE', 'INGEST_INTERNAL'],
      access: 'admin',
      pathParameter: 'id',
    },
    ...connect('PostEngagements', 'write'),
    ...connect('PostPins', 'admin'),
    ...connect('PostCreators', 'admin'),
    ...connect('PostBoards', 'admin'),
    ...connect('MergeUsers', 'write'),
  }
}

/** The description of the HTTP API of event-ingest as an OpenAPI 3.1 document, made from the tables that its parser and its error catalogue use. */
export function openApi(
  config: Pick<IngestConfig, 'maxBatchEvents' | 'embeddingWidth'>,
  { hasConnectors }: { readonly hasConnectors: boolean },
): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, operation] of Object.entries({ ...operations(), ...(hasConnectors && connectorOperations()) })) {
    const [method, path] = name.split(' ') as [string, string]
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Freshet event-ingest',
      version,
      description:
        'Accepts what users do and catalogue changes. Unknown fields are refused, and no types are converted.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: schemas(config),
      securitySchemes: {
        key: {
          type: 'apiKey',
          in: 'header',
          name: 'freshet-key',
          description: 'A key; a server without keys needs none',
        },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same key as a bearer token' },
      },
    },
  }
}

function describe(operation: Operation): JsonSchema {
  const { summary, body, answer, status, refusals, rejections = [], access, pathParameter } = operation
  const byStatus = Map.groupBy(refusals, (code) => ingestProblems[code].status)
  const refused = (codes: readonly IngestCode[]): JsonSchema =>
    operation.isConnect === true
      ? { type: 'object', description: `Connect error: ${codes.join(', ')}` }
      : errorSchema(codes)
  const failures = [...byStatus].map(([code, codes]): [string, JsonSchema] => {
    const schema =
      code === 400 && rejections.length > 0 ? { anyOf: [answerSchema(rejections), refused(codes)] } : refused(codes)
    const all = code === 400 ? [...new Set([...codes, ...rejections])] : codes
    return [String(code), response(meaningOf(all), schema)]
  })
  const accessFailures =
    access === 'public'
      ? []
      : ([401, 403] as const).map((code): [string, JsonSchema] => [
          String(code),
          response(
            code === 401 ? 'The credential is missing or not valid' : 'The credential is not for this call',
            accessSchema(code),
          ),
        ])
  const success = answer === undefined || rejections.length === 0 ? answer : answerSchema(rejections)
  return {
    summary,
    ...(pathParameter !== undefined && {
      parameters: [
        { name: pathParameter, in: 'path', required: true, schema: schemaOf({ type: 'id' }), description: 'A user id' },
      ],
    }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: Object.fromEntries(
          (operation.bodyTypes ?? ['application/json']).map((type) => [type, { schema: body }]),
        ),
      },
    }),
    responses: Object.fromEntries([
      [String(status), response(status === 202 ? 'The log has every event that has a token' : 'Success', success)],
      ...failures,
      ...accessFailures,
    ]),
    ...(access !== 'public' && { security: [{ key: [] }, { bearer: [] }, {}] }),
    'x-access': access,
  }
}

function response(description: string, schema: JsonSchema): JsonSchema {
  return { description, content: { 'application/json': { schema } } }
}

function meaningOf(codes: readonly IngestCode[]): string {
  return codes.map((code) => `${code}: ${ingestProblems[code].meaning}`).join('\n')
}

/** The body of a refused request, with the codes that it can have. */
function errorSchema(codes: readonly IngestCode[]): JsonSchema {
  return { allOf: [ref('Error')], properties: { error: { properties: { code: { enum: codes } } } } }
}

/** The body of an answer with receipts, with the codes of rejected events. */
function answerSchema(codes: readonly IngestCode[]): JsonSchema {
  return { allOf: [ref('Answer')], properties: { receipts: { items: { properties: { code: { enum: codes } } } } } }
}

function accessSchema(status: 401 | 403): JsonSchema {
  const codes = Object.entries(accessErrorCatalogue).flatMap(([code, { http }]) => (http === status ? [code] : []))
  return { allOf: [ref('Error')], properties: { error: { properties: { code: { enum: codes } } } } }
}

function schemas({ maxBatchEvents, embeddingWidth }: Pick<IngestConfig, 'maxBatchEvents' | 'embeddingWidth'>) {
  const pin = objectOf(pinRules)
  const width = embeddingWidth === null ? {} : { minItems: embeddingWidth, maxItems: embeddingWidth }
  const properties = pin['properties'] as Readonly<Record<string, JsonSchema>>
  const embedding = { ...properties['visualEmbedding'], ...width }
  const list = (of: string): JsonSchema => ({ type: 'array', items: ref(of), minItems: 1, maxItems: maxBatchEvents })
  const batchOf = (field: string, of: string): JsonSchema => ({
    type: 'object',
    properties: { [field]: list(of) },
    required: [field],
    additionalProperties: false,
  })
  const time = schemaOf({ type: 'time' })
  return {
    Engagement: objectOf(engagementRules),
    EngagementBatch: {
      type: 'object',
      properties: {
        engagements: list('Engagement'),
        sentAt: { ...time, description: "The client's clock when it sends the batch" },
        clockOffsetMs: {
          type: 'integer',
          ...clockOffsetRule,
          description: "How far the client's clock is behind that of the server; negative: ahead",
        },
      },
      required: ['engagements'],
      additionalProperties: false,
    },
    Pin: { ...pin, properties: { ...properties, visualEmbedding: embedding } },
    PinBatch: batchOf('pins', 'Pin'),
    Creator: objectOf(creatorRules),
    CreatorBatch: batchOf('creators', 'Creator'),
    Board: objectOf(boardRules),
    BoardBatch: batchOf('boards', 'Board'),
    Merge: {
      type: 'object',
      properties: {
        intoUserId: {
          ...schemaOf({ type: 'id' }),
          description: 'The known user, another one than the user in the path',
        },
        occurredAt: { ...time, description: 'When the person became known; absent: now' },
      },
      required: ['intoUserId'],
      additionalProperties: false,
    },
    Answer: {
      type: 'object',
      properties: {
        accepted: { type: 'integer', minimum: 0 },
        rejected: { type: 'integer', minimum: 0 },
        receipts: { type: 'array', items: ref('Receipt'), description: 'One for each event, in their order' },
        receivedAt: time,
        notice: {
          type: 'object',
          properties: { code: { const: 'LOG_REPLACED' }, message: { type: 'string' } },
          description: 'Why accepted events do not take effect yet; absent: they do',
        },
      },
      required: ['accepted', 'rejected', 'receipts', 'receivedAt'],
    },
    BulkLine: {
      type: 'object',
      description: 'One line of the answer',
      properties: {
        line: { type: 'integer', minimum: 1 },
        id: { type: 'string' },
        token: { type: 'string' },
        code: { type: 'string' },
        field: { type: 'string' },
        message: { type: 'string' },
        done: {
          type: 'boolean',
          description: 'In the last line. false: the rest was not taken; send it again from nextLine',
        },
        accepted: { type: 'integer', minimum: 0 },
        rejected: { type: 'integer', minimum: 0 },
        nextLine: { type: 'integer', minimum: 1 },
        error: { type: 'object' },
      },
    },
    ConnectorAnswer: {
      type: 'object',
      properties: {
        accepted: { type: 'integer', minimum: 0 },
        skipped: { type: 'integer', minimum: 0, description: 'Events that the mapping does not map' },
        rejected: { type: 'integer', minimum: 0 },
        receipts: { type: 'array', items: { type: 'object' }, description: 'One for each event, in their order' },
        receivedAt: time,
      },
      required: ['accepted', 'skipped', 'rejected', 'receipts', 'receivedAt'],
    },
    Receipt: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'The id of the event as sent' },
        token: { type: 'string', description: 'For GetFeed(after); absent: rejected' },
        code: { type: 'string', description: 'The first problem; absent: accepted' },
        field: { type: 'string' },
        message: { type: 'string' },
        problems: { type: 'array', items: ref('Problem') },
      },
      required: ['id'],
    },
    Problem: {
      type: 'object',
      properties: {
        code: { enum: Object.keys(ingestProblems) },
        field: { type: 'string', description: 'Such as engagements[3].pinId' },
        message: { type: 'string', description: 'Names the field, what is wrong, and how to fix it' },
      },
      required: ['code', 'field', 'message'],
    },
    Error: {
      type: 'object',
      properties: {
        error: {
          type: 'object',
          properties: {
            code: { type: 'string' },
            field: { type: 'string' },
            message: { type: 'string' },
            retryable: { type: 'boolean', description: 'Whether the same request can succeed later' },
          },
          required: ['code', 'message', 'retryable'],
        },
      },
      required: ['error'],
    },
  }
}

function objectOf(rules: Readonly<Record<string, FieldRule>>): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(rules).map(([field, rule]) => [field, schemaOf(rule)])),
    required: Object.entries(rules).flatMap(([field, { isRequired }]) => (isRequired === true ? [field] : [])),
    additionalProperties: false,
  }
}
