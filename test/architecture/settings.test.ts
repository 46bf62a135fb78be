import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consoleSchema } from '@freshet/freshet/console/config'
import { devSchema } from '@freshet/freshet/dev/config'
import { loadConfig } from '@freshet/service/config'
import { describeConfig, type SettingRow } from '@freshet/service/setting-rows'
import { serviceLinks } from '@freshet/service/service-links'
import { afterAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'freshet-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))

const schemas: [string, z.ZodObject][] = [
  ['freshet dev', devSchema],
  ['freshet console', consoleSchema],
]
for (const app of readdirSync(join(root, 'apps')).filter((name) => name !== 'freshet' && name !== 'console')) {
  const { processSchema } = (await import(/* @vite-ignore */ join(root, 'apps', app, 'src/config.ts'))) as {
    processSchema: z.ZodObject
  }
  schemas.push([app, processSchema])
}

/** What a process cannot start without. */
const required: Readonly<Record<string, unknown>> = {
  'kafka.brokers': ['kafka:9092'],
  'redis.url': 'redis://redis:6379',
  'upstreams.feeds': 'http://blender:8070',
  'upstreams.events': 'http://event-ingest:8080',
}
/** What has to be set beside a setting for its extreme values to make sense. */
const companions: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'blender.utilityTuning.sigma': { 'blender.utilityTuning.heads': ['save'] },
  'candidates.shardIndex': { 'candidates.shardCount': 64, 'candidates.shardPeers': peers(63) },
}
function peers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `shard-${i}:7071`)
}
function companionsOf(row: SettingRow, value: unknown): Readonly<Record<string, unknown>> {
  if (row.path === 'candidates.shardCount') return { 'candidates.shardPeers': peers((value as number) - 1) }
  if (row.path.endsWith('.sasl.mechanism') && value !== 'none') {
    const login = row.path.slice(0, -'mechanism'.length)
    return { [`${login}username`]: 'freshet', [`${login}password`]: 'secret' }
  }
  return companions[row.path] ?? {}
}

function valueAt(config: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config)
}

function nested(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.')
    const last = keys.pop()!
    let at = tree
    for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>
    at[last] = value
  }
  return tree
}

/** The values at the ends of what a setting takes. */
function extremes({ schema }: SettingRow): readonly unknown[] {
  const { minimum, maximum, enum: options, type } = schema
  if (Array.isArray(options)) return options
  if (type === 'boolean') return [true, false]
  return [minimum, maximum].filter((bound) => typeof bound === 'number' && Number.isSafeInteger(bound * 100))
}

/** Numbers that name something and measure nothing. */
const unitless = /(^|\.)(port|seed)$/
/** Units that a name has to end with, so that nobody mistakes milliseconds for seconds. */
const namedUnits: Readonly<Record<string, string>> = { ms: 'Ms', s: 'Seconds', days: 'Days', bytes: 'Bytes' }

/** The text of all code of ours that is neither a test nor a declaration of settings. */
const code = ['apps', 'libs']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(({ name, parentPath }) => /^(?!.*\.test).*\.ts$/.test(name) && !parentPath.includes('node_modules'))
      .map(({ name, parentPath }) => join(parentPath, name))
      .filter((file) => !/\/gen\/|\/config\.ts$|\/settings\.ts$/.test(file)),
  )
  .map((file) => readFileSync(file, 'utf8'))
  // The definition `key: wholeSetting(…)` of a parameter is no use of it, nor is its type.
  .map((text) => text.replaceAll(/^ +(readonly )?\w+: ((whole|number|flag)Setting\(|(number|boolean)$).*/gm, ''))
  .join('\n')

describe.each(schemas)('the rows of settings of %s', (_name, schema) => {
  const rows = describeConfig(schema)
  const numbers = rows.filter(({ type }) => type.split('|').some((kind) => kind === 'integer' || kind === 'number'))

  it('have a description in a sentence, without a full stop', () => {
    const wrong = rows.filter(({ description }) => !/^[A-Z0-9`]/.test(description) || /[.;,:]$/.test(description))
    expect(wrong.map(({ path, description }) => [path, description])).toEqual([])
  })

  it('have a unit if they are numbers, and in the name if it is ambiguous', () => {
    expect(numbers.filter(({ path, unit }) => unit === '' && !unitless.test(path)).map(({ path }) => path)).toEqual([])
    const wrong = rows.flatMap(({ path, unit }) => {
      const named = Object.entries(namedUnits).find(([, ending]) => path.endsWith(ending))?.[0]
      const wanted = namedUnits[unit]
      return named !== undefined && named !== unit
        ? [`${path} has the unit ${unit}`]
        : wanted !== undefined && !path.endsWith(wanted)
          ? [`${path} does not end with ${wanted}`]
          : []
    })
    expect(wrong).toEqual([])
  })

  it('have a lower and an upper bound if they are numbers', () => {
    const isBound = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER
    const unbounded = numbers.filter(({ schema: json }) => {
      const options = (json['anyOf'] as readonly Record<string, unknown>[] | undefined) ?? [json]
      const number = options.find(({ type }) => type === 'integer' || type === 'number') ?? json
      return !isBound(number['minimum'] ?? number['exclusiveMinimum']) || !isBound(number['maximum'])
    })
    expect(unbounded.map(({ path }) => path)).toEqual([])
  })

  it('are used by the code', () => {
    const unused = rows.filter(({ path }) => !new RegExp(`\\b${path.split('.').at(-1)}\\b`).test(code))
    expect(unused.map(({ path }) => path)).toEqual([])
  })
})

describe.each(schemas)('A22 · the settings of %s', (_name, schema) => {
  const rows = describeConfig(schema)
  const needed = Object.fromEntries(Object.entries(required).filter(([path]) => rows.some((row) => row.path === path)))
  const variableOf = new Map(rows.map(({ path, env }) => [path, env]))
  const textOf = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value))

  it('have min ≤ default ≤ max', () => {
    const wrong = rows.filter(({ schema: { minimum, maximum, default: value } }) => {
      const [low, high] = [(minimum as number | undefined) ?? -Infinity, (maximum as number | undefined) ?? Infinity]
      return low > high || (typeof value === 'number' && (value < low || value > high))
    })
    expect(wrong.map(({ path, schema: json }) => [path, json])).toEqual([])
  })

  it('can be set to their least and greatest value by environment, file and command line', () => {
    let count = 0
    for (const row of rows) {
      for (const value of extremes(row)) {
        const values = { ...needed, ...companionsOf(row, value), [row.path]: value }
        const entries = Object.entries(values)
        const file = join(folder, 'config.json')
        writeFileSync(file, JSON.stringify(nested(values)))
        const ways = {
          environment: {
            env: Object.fromEntries(entries.map(([path, each]) => [variableOf.get(path)!, textOf(each)])),
          },
          file: { env: {}, file },
          'command line': {
            env: {},
            overrides: Object.fromEntries(entries.map(([path, each]) => [path, textOf(each)])),
          },
        }
        for (const [way, sources] of Object.entries(ways))
          expect(valueAt(loadConfig(schema, sources), row.path), `${row.path} by ${way}`).toBe(value)
        count++
      }
    }
    expect(count).toBeGreaterThan(rows.length / 2)
  })

  it('start in an environment that all services share', () => {
    const env: Record<string, string> = {}
    for (const [, other] of schemas)
      for (const row of describeConfig(other)) if (!variableOf.has(row.path)) env[row.env] = 'of another service'
    for (const [path, value] of Object.entries(needed)) env[variableOf.get(path)!] = textOf(value)
    const foreign: string[] = []
    loadConfig(schema, { env, onForeign: (names) => foreign.push(...names) })
    expect(foreign.length).toBeGreaterThan(10)
  })

  it('have variables that are no service links of Kubernetes', () => {
    const env = Object.fromEntries(rows.map((row) => [row.env, '1']))
    expect([...serviceLinks(env)]).toEqual([])
  })
})
