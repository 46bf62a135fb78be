import { accessErrorCatalogue } from '@freshet/access/errors'
import type { CallRule } from '@freshet/access/rules'
import { blenderRules } from '@freshet/adapters/access/blender-rules'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { errorCatalogue, type ErrorCode } from '@freshet/contracts/errors'
import type { JsonSchema } from '@freshet/contracts/json/field-rules'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender } from '@freshet/contracts/ports/calls'
import { version } from '@freshet/domain/version'
import { messageSchemas } from '@freshet/service/message-schemas'
import { listFields } from './json-list-request.ts'
import { feedFields, objectSchema, queryParameters, relatedFields, type Readers } from './json-request.ts'

/** Statuses of errors over HTTP. */
export const statusOf: Readonly<Partial<Record<ErrorCode, number>>> = {
  CALL_INVALID_ARGUMENT: 400,
  CALL_CANCELLED: 499,
  CALL_RATE_LIMITED: 429,
  CALL_DEADLINE_EXCEEDED: 504,
  CALL_UNAVAILABLE: 503,
  CALL_TLS_FAILED: 503,
  FEED_MISSING: 404,
  USER_ERASED: 410,
  EXPLAIN_SWITCHED_OFF: 403,
  LOG_UNAVAILABLE: 503,
  LOG_TLS_FAILED: 503,
  LOG_LOGIN_REFUSED: 503,
}

/** What the document says about a call. */
interface Call {
  readonly path: string
  readonly method: keyof Blender
  readonly fields: Readers
  readonly summary: string
  /** Codes besides those that every call has. */
  readonly codes?: readonly ErrorCode[]
}

const codesOfAll: readonly ErrorCode[] = [
  'CALL_INVALID_ARGUMENT',
  'CALL_RATE_LIMITED',
  'CALL_DEADLINE_EXCEEDED',
  'CALL_UNAVAILABLE',
  'CALL_INTERNAL',
]

/** The calls in JSON. GET records nothing, and POST serves. */
const calls: readonly Call[] = [
  { path: '/v1/feed', method: 'getFeed', fields: feedFields, summary: "A page of a user's home feed" },
  {
    ...{ path: '/v1/related', method: 'getRelatedPins', fields: relatedFields },
    summary: 'The pins to show under an opened pin',
  },
  {
    ...{ path: '/v1/rank', method: 'rankPins', fields: listFields.rank },
    summary: 'Orders given pins for a user',
  },
  { path: '/v1/pins', method: 'getPins', fields: listFields.pins, summary: 'Cards of pins' },
  {
    ...{ path: '/v1/search', method: 'searchByImage', fields: listFields.search },
    summary: 'The pins with the most similar pictures',
  },
  {
    ...{ path: '/v1/explain', method: 'explainFeed', fields: listFields.explain },
    summary: 'Why a feed of the past looked as it did',
    codes: ['FEED_MISSING', 'USER_ERASED', 'EXPLAIN_SWITCHED_OFF'],
  },
  {
    ...{ path: '/v1/capabilities', method: 'getCapabilities', fields: listFields.capabilities },
    summary: 'What this server can do',
  },
]

const responseOf = (method: keyof Blender): string => `${blenderMethods[method].name}Response`
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

let made: JsonSchema | null = null

/** The description of the HTTP API of the blender as an OpenAPI 3.1 document, made once from the tables of its parser, the messages, the rules of access and the error catalogue. */
export function openApi(): JsonSchema {
  made ??= makeOpenApi()
  return made
}

function makeOpenApi(): JsonSchema {
  const names = calls.map(({ method }) => `freshet.blending.v1.${responseOf(method)}`)
  const messages = messageSchemas(readDescriptors(), names, new Set(['Degradation', 'Freshness', 'Surface']))
  const document = { summary: 'This document', responses: { 200: answer('Success', { type: 'object' }) } }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Freshet blender',
      version,
      description:
        'Feeds and lists of pins. Unknown fields are refused, and no types are converted; freshet/blending/v1/blending.proto says what each field means. GET records nothing and is for looking; POST serves.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: Object.fromEntries([
      ['/openapi.json', { get: { ...document, 'x-access': 'public' } }],
      ...calls.map((call) => [call.path, { get: asGet(call), post: asPost(call) }]),
      ...calls.map((call) => [`/freshet.blending.v1.Blender/${blenderMethods[call.method].name}`, asConnect(call)]),
    ]),
    components: {
      schemas: { ...messages, Error: errorSchema },
      securitySchemes: {
        key: {
          ...{ type: 'apiKey', in: 'header', name: 'freshet-key' },
          description: 'A key; a server without keys needs none',
        },
        bearer: { type: 'http', scheme: 'bearer', description: 'A read token, or the same key' },
      },
    },
  }
}

const errorFields: Readonly<Record<string, JsonSchema>> = {
  code: { type: 'string' },
  field: { type: 'string', description: 'Which field of the request is wrong; empty: none in particular' },
  message: { type: 'string' },
  retryable: { type: 'boolean' },
}
const errorSchema: JsonSchema = {
  type: 'object',
  properties: { error: { type: 'object', properties: errorFields, required: Object.keys(errorFields) } },
  required: ['error'],
}

function asPost(call: Call): JsonSchema {
  return {
    summary: call.summary,
    requestBody: { required: true, content: { 'application/json': { schema: objectSchema(call.fields) } } },
    ...common(call, true),
  }
}

function asGet(call: Call): JsonSchema {
  const parameters = Object.entries(queryParameters(call.fields)).map(([name, schema]) => ({
    ...{ name, in: 'query', schema },
    ...(schema['type'] === 'array' && { style: 'form', explode: true }),
  }))
  return { summary: `${call.summary}, without recording it`, parameters, ...common(call, false) }
}

function asConnect({ method, summary }: Call): JsonSchema {
  const { name, reads } = blenderMethods[method]
  const body = { type: 'object', description: `freshet.blending.v1.${name}Request in proto3 JSON` }
  const operation = {
    summary: `${summary}, by the Connect protocol: proto3 JSON or protobuf`,
    responses: {
      200: answer('Success', { type: 'object', description: `freshet.blending.v1.${name}Response in proto3 JSON` }),
    },
    ...accessOf(method),
  }
  const post = { ...operation, requestBody: { required: true, content: { 'application/json': { schema: body } } } }
  return reads ? { get: operation, post } : { post }
}

function common({ method, codes = [] }: Call, hasBody: boolean): JsonSchema {
  const own = [...codesOfAll, ...codes]
  const byStatus = Map.groupBy(own, (code) => statusOf[code] ?? 500)
  const failures = [...byStatus].map(([status, of]) => [
    status,
    answer(of.map((code) => `${code}: ${errorCatalogue[code].meaning}`).join('\n'), errorOf(of)),
  ])
  const ofBody = hasBody
    ? [
        [408, answer('The body did not arrive in time', errorOf(['CALL_DEADLINE_EXCEEDED']))],
        [413, answer('The body is too large', errorOf(['CALL_INVALID_ARGUMENT']))],
        [415, answer('The content type or its encoding is not accepted', errorOf(['CALL_INVALID_ARGUMENT']))],
      ]
    : []
  const ofAccess = isPublic(method)
    ? []
    : ([401, 403] as const).map((status) => [
        status,
        answer('The credential is missing, not valid or not for this call', errorOf(accessCodes(status, own))),
      ])
  return {
    responses: Object.fromEntries([
      [200, answer('Success', ref(responseOf(method)))],
      ...failures,
      ...ofBody,
      ...ofAccess,
    ]) as JsonSchema,
    ...accessOf(method),
  }
}

function isPublic(method: keyof Blender): boolean {
  return blenderRules[method].rule === 'public'
}

function accessOf(method: keyof Blender): JsonSchema {
  const { rule }: CallRule<never> = blenderRules[method]
  return { ...(rule !== 'public' && { security: [{ key: [] }, { bearer: [] }, {}] }), 'x-access': rule }
}

function accessCodes(status: 401 | 403, own: readonly ErrorCode[]): readonly string[] {
  const ofAccess = Object.entries(accessErrorCatalogue).flatMap(([code, { http }]) => (http === status ? [code] : []))
  return [...ofAccess, ...own.filter((code) => statusOf[code] === status)]
}

function errorOf(codes: readonly string[]): JsonSchema {
  return { allOf: [ref('Error')], properties: { error: { properties: { code: { enum: codes } } } } }
}

function answer(description: string, schema: JsonSchema): JsonSchema {
  return { description, content: { 'application/json': { schema } } }
}
