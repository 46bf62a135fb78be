import { createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { ContractError, type ErrorCode } from '@freshet/contracts/errors'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender } from '@freshet/contracts/ports/calls'
import { afterAll, describe, expect, it } from 'vitest'
import { aBlender } from './blender.harness.ts'
import { openApi, statusOf } from './openapi.ts'
import { httpAppOf } from './serving.fixture.ts'

interface Schema {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly $ref?: string
}
interface Response {
  readonly content: { readonly 'application/json': { readonly schema: Schema & { readonly allOf?: unknown } } }
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
  readonly responses: Readonly<Record<string, Response>>
}
const document = openApi() as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
const methods = Object.keys(blenderMethods) as (keyof Blender)[]
const closing: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

/** A blender each of whose calls does the same. */
const blenderOf = (call: () => Promise<never>): Blender =>
  aFakeBlender(Object.fromEntries(methods.map((method) => [method, call])))
const accepting = httpAppOf(
  blenderOf(async () => ({ degradation: 0, freshness: 0, pins: [], seeds: [] }) as never),
  { closing },
)

const paths = Object.entries(document.paths).filter(([path]) => path.startsWith('/v1/'))
/** The method of a route, by the name in its description. */
const methodOf = ({ responses }: Operation): keyof Blender => {
  const name = responses['200']!.content['application/json'].schema.$ref!.replace(/.*\/(\w+)Response$/, '$1')
  return methods.find((method) => blenderMethods[method].name === name)!
}

function validOf(schema: Schema): unknown {
  if (schema.enum !== undefined) return schema.enum.at(-1)
  if (schema.type === 'object')
    return Object.fromEntries(Object.entries(schema.properties!).map(([name, of]) => [name, validOf(of)]))
  if (schema.type === 'array') return [validOf(schema.items!), validOf(schema.items!)]
  return { string: 'x', boolean: true, integer: 3, number: 0.5 }[schema.type!]
}

function invalidOf(schema: Schema): unknown[] {
  if (schema.enum !== undefined) return ['nothing of these', 1, null]
  switch (schema.type) {
    case 'string':
      return [1, true, null, ['x'], {}]
    case 'boolean':
      return ['true', 1, null]
    case 'integer':
      return ['3', 0.5, null, true]
    case 'number':
      return ['3', null, true]
    case 'array':
      return ['x', {}, null, ...invalidOf(schema.items!).map((wrong) => [validOf(schema.items!), wrong])]
    default:
      return [
        ...['x', [], null, { colour: 'red' }],
        ...Object.entries(schema.properties!).flatMap(([name, of]) =>
          invalidOf(of).map((wrong) => ({ [name]: wrong })),
        ),
      ]
  }
}

/** What of a value does not fit a schema, as paths; empty: it fits. */
function misfits(schema: Schema, value: unknown, at = ''): string[] {
  if (schema.$ref !== undefined) return misfits(document.components.schemas[schema.$ref.split('/').at(-1)]!, value, at)
  if (schema.enum !== undefined) return schema.enum.includes(value as string) ? [] : [at]
  if (schema.type === 'array')
    return Array.isArray(value) ? value.flatMap((each) => misfits(schema.items!, each, `${at}[]`)) : [at]
  if (schema.type === 'integer') return Number.isInteger(value) ? [] : [at]
  if (schema.type !== 'object') return typeof value === schema.type ? [] : [at]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [at]
  const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`)
  const others = Object.entries(value).flatMap(([name, each]) => {
    const of = schema.properties?.[name] ?? schema.additionalProperties
    return typeof of === 'object' ? misfits(of, each, `${at}.${name}`) : [`${at}.${name} is unknown`]
  })
  return [...missing, ...others]
}

describe('the OpenAPI document of the blender', () => {
  it('is what the server answers, and all its references lead somewhere', async () => {
    const { statusCode, body } = await accepting.inject('/openapi.json')
    expect([statusCode, JSON.parse(body)]).toEqual([200, JSON.parse(JSON.stringify(document))])
    const references = [...body.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!)
    expect(references.length).toBeGreaterThan(20)
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([])
  })

  it('names every route of the server, and no other', async () => {
    await accepting.ready()
    const documented = Object.entries(document.paths).flatMap(([url, operations]) =>
      Object.keys(operations).map((method) => ({ method: method.toUpperCase(), url })),
    )
    expect(documented.filter(({ method, url }) => !accepting.hasRoute({ method, url }))).toEqual([])
    const served = [...accepting.printRoutes({ commonPrefix: false }).matchAll(/ \(([^)]+)\)$/gm)]
      .flatMap(([, all]) => all!.split(', '))
      .filter((method) => method !== 'HEAD' && method !== 'OPTIONS')
    expect(served.length).toBe(documented.length)
  })

  it.each(paths)(
    'says of the body of %s what the parser says, and names every field of the message',
    async (url, { post }) => {
      const { schema } = post!.requestBody!.content['application/json']
      const verdict = async (payload: object): Promise<number> =>
        (await accepting.inject({ method: 'POST', url, payload })).statusCode
      for (const [field, of] of Object.entries(schema.properties!)) {
        expect([field, await verdict({ [field]: validOf(of) })]).toEqual([field, 200])
        for (const wrong of invalidOf(of))
          expect([field, wrong, await verdict({ [field]: wrong })]).toEqual([field, wrong, 400])
      }
      expect(await verdict({ colour: 'red' })).toBe(400)
      const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readDescriptors()))
      const message = registry.getMessage(`freshet.blending.v1.${blenderMethods[methodOf(post!)].name}Request`)!
      expect(Object.keys(schema.properties!).sort()).toEqual(message.fields.map(({ jsonName }) => jsonName).sort())
    },
  )

  it.each(paths)('says of the query of %s what the parser says', async (path, { get }) => {
    const verdict = async (query: string): Promise<number> => (await accepting.inject(`${path}?${query}`)).statusCode
    for (const { name, schema } of get!.parameters!) {
      const values = [validOf(schema)].flat().map((value) => `${name}=${String(value)}`)
      expect([name, await verdict(values.join('&'))]).toEqual([name, 200])
      if (schema.type === 'integer' || schema.type === 'boolean')
        expect([name, await verdict(`${name}=x`)]).toEqual([name, 400])
    }
    expect(await verdict('colour=red')).toBe(400)
  })

  it('says what answers look like', async () => {
    const made = await aBlender()
    const app = httpAppOf(
      aFakeBlender({
        getFeed: (request, call) => made.settle(made.blender.getFeed(request, call)),
        getRelatedPins: (request, call) => made.settle(made.blender.getRelatedPins(request, call)),
        rankPins: (request, call) => made.settle(made.blender.rankPins(request, call)),
        getPins: (request, call) => made.settle(made.blender.getPins(request, call)),
        getCapabilities: (request, call) => made.settle(made.blender.getCapabilities(request, call)),
      }),
      { closing },
    )
    const bodies: Readonly<Record<string, object>> = {
      '/v1/feed': { userId: 'u', pageSize: 5, explain: true },
      '/v1/related': { userId: 'u', pinId: 'p1', pageSize: 5, explain: true },
      '/v1/rank': { userId: 'u', pinIds: ['p1', 'p2'], explain: true },
      '/v1/pins': { pinIds: ['p1', 'p2'] },
      '/v1/capabilities': {},
    }
    for (const [url, payload] of Object.entries(bodies)) {
      const { statusCode, body } = await app.inject({ method: 'POST', url, payload })
      expect([url, statusCode]).toEqual([url, 200])
      const { schema } = document.paths[url]!['post']!.responses['200']!.content['application/json']
      expect([url, misfits(schema, JSON.parse(body))]).toEqual([url, []])
    }
  })

  it.each([
    'CALL_RATE_LIMITED',
    'CALL_DEADLINE_EXCEEDED',
    'CALL_UNAVAILABLE',
    'FEED_MISSING',
    'USER_ERASED',
    'EXPLAIN_SWITCHED_OFF',
    'CALL_INTERNAL',
  ] as const)('names the status of %s', async (code: ErrorCode) => {
    const app = httpAppOf(
      blenderOf(() => Promise.reject(new ContractError(code, 'no'))),
      { closing },
    )
    const { statusCode } = await app.inject({ method: 'POST', url: '/v1/explain', payload: {} })
    expect(statusCode).toBe(statusOf[code] ?? 500)
    const documented = JSON.stringify(document.paths['/v1/explain']!['post']!.responses[String(statusCode)])
    expect(documented).toContain(`"${code}"`)
  })

  it('names the statuses of bodies that cannot be read', async () => {
    const { responses } = document.paths['/v1/feed']!['post']!
    for (const [payload, type, status] of [
      ['{', 'application/json', 400],
      ['x', 'text/plain', 415],
      [`"${'x'.repeat(70_000)}"`, 'application/json', 413],
    ] as const) {
      const answer = await accepting.inject({
        method: 'POST',
        url: '/v1/feed',
        payload,
        headers: { 'content-type': type },
      })
      expect(answer.statusCode).toBe(status)
      expect(JSON.stringify(responses[String(status)])).toContain(answer.json<{ error: { code: string } }>().error.code)
    }
  })
})
