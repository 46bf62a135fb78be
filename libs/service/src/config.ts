import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from './errors.ts'
import { editDistance, nearest } from '@freshet/domain/nearest'
import { serviceLinks } from './service-links.ts'

/** What every setting says about itself besides type, default and bounds; give it to `.meta()` of the key's outermost type. */
export interface SettingMeta {
  readonly description: string
  /** `ms`, `bytes`, `events`, …; absent where the value has none. */
  readonly unit?: string
  /** Never shown. */
  readonly secret?: boolean
}

/** A setting as README tables and `--help` show it. */
export interface SettingRow {
  /** Dotted path, e.g. `grpc.port`. */
  readonly path: string
  readonly env: string
  readonly type: string
  readonly unit: string
  readonly default: string
  readonly bounds: string
  readonly description: string
  readonly secret: boolean
  /** What is taken, as JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>
}

/** Where settings come from; later ones win: defaults, file, environment, overrides. */
export interface ConfigSources {
  /** Path of a JSON file; absent: what `FRESHET_CONFIG` names, if anything. */
  readonly file?: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Command line: dotted path → text. */
  readonly overrides?: Readonly<Record<string, string>>
  /** Keys of earlier versions: dotted path → what to use instead. */
  readonly removed?: Readonly<Record<string, string>>
  /** Told of variables that begin like ours and resemble none of them: settings of other services, in an environment that several share. */
  readonly onForeign?: (names: readonly string[]) => void
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Tree = Map<string, { readonly value: unknown; readonly from: string }>

const prefix = 'FRESHET_'
const fileVariable = 'FRESHET_CONFIG'

/** The environment variable of a dotted path: `grpc.maxBatchEvents` → `FRESHET_GRPC_MAX_BATCH_EVENTS`. */
export function envName(path: string): string {
  return (
    prefix +
    path
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replaceAll('.', '_')
      .toUpperCase()
  )
}

/** Reads and checks a configuration. Throws a ConfigError that lists every problem: unknown keys with the nearest known one, removed keys with their successor, wrong values with their bounds. In the environment, which services may share, a name is unknown only when it resembles a known one. */
export function loadConfig<Schema extends z.ZodObject>(schema: Schema, sources: ConfigSources): z.output<Schema> {
  const rows = describeConfig(schema)
  const known = new Map(rows.map((row) => [row.path, row]))
  const removed = sources.removed ?? {}
  const problems: string[] = []
  const foreign: string[] = []
  const given: Tree = new Map()

  const reject = (path: string, shown: string, from: string, candidates: readonly string[]): void => {
    const successor = removed[path]
    if (successor !== undefined) problems.push(`${shown} (from ${from}) was removed: use ${successor}`)
    else {
      const near = nearest(shown, candidates)
      problems.push(`${shown} (from ${from}) is no setting${near === null ? '' : `; did you mean ${near}?`}`)
    }
  }

  const file = sources.file ?? sources.env[fileVariable]
  if (file !== undefined && file !== '') {
    const content = readJson(file, problems)
    for (const [path, value] of flatten(content, known)) {
      if (known.has(path)) given.set(path, { value, from: file })
      else reject(path, path, file, [...known.keys()])
    }
  }

  const byEnv = new Map(rows.map((row) => [row.env, row]))
  const removedByEnv = new Map(Object.keys(removed).map((path) => [envName(path), path]))
  const links = serviceLinks(sources.env)
  for (const [name, text] of Object.entries(sources.env)) {
    if (!name.startsWith(prefix) || name === fileVariable || text === undefined || links.has(name)) continue
    const row = byEnv.get(name)
    if (row === undefined) {
      const successorOf = removedByEnv.get(name)
      if (successorOf !== undefined || isMisspelt(name, rows)) {
        reject(successorOf ?? name, name, 'the environment', [...byEnv.keys()])
      } else foreign.push(name)
    } else given.set(row.path, { value: fromText(text, row.type), from: name })
  }

  if (foreign.length > 0) sources.onForeign?.(foreign)

  for (const [path, text] of Object.entries(sources.overrides ?? {})) {
    const row = known.get(path)
    if (row === undefined)
      reject(
        path,
        `--${path}`,
        'the command line',
        rows.map((each) => `--${each.path}`),
      )
    else given.set(path, { value: fromText(text, row.type), from: `--${path}` })
  }

  const parsed = schema.safeParse(nest(rows, given))
  if (parsed.success && problems.length === 0) return parsed.data
  for (const issue of parsed.error?.issues ?? []) problems.push(problemOf(issue, known, given))
  throw new ConfigError(problems)
}

/** The settings of a schema in its order, one row each. */
export function describeConfig(schema: z.ZodObject): readonly SettingRow[] {
  const rows = described.get(schema) ?? rowsOf(schema, '')
  described.set(schema, rows)
  return rows
}

const described = new WeakMap<z.ZodObject, readonly SettingRow[]>()

/** A configuration for people: values of secret settings are hidden, and so are passwords in addresses. */
export function redactConfig(schema: z.ZodObject, config: unknown): Readonly<Record<string, unknown>> {
  const shown: Record<string, unknown> = {}
  for (const row of describeConfig(schema)) {
    const value = row.path
      .split('.')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], config)
    shown[row.path] = row.secret && value !== null && value !== '' ? '(hidden)' : hidePasswords(value)
  }
  return shown
}

/** A variable is a misspelt setting when it resembles one of the same group: services that share an environment have settings of like names in other groups. */
function isMisspelt(name: string, rows: readonly SettingRow[]): boolean {
  const bare = name.slice(prefix.length)
  const alike = rows.filter(({ path }) => {
    const dot = path.indexOf('.')
    if (dot < 0) return true
    const group = envName(path.slice(0, dot)).slice(prefix.length)
    const same = bare.split('_').slice(0, group.split('_').length).join('_')
    return editDistance(group, same) <= maxGroupDistance
  })
  return (
    nearest(
      bare,
      alike.map(({ env }) => env.slice(prefix.length)),
    ) !== null
  )
}

/** `kafak` is `kafka`; `trainer` is not `blender`. */
const maxGroupDistance = 2

function hidePasswords(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/(\w+:\/\/[^:/@\s]*):[^@\s]*@/g, '$1:(hidden)@')
  return Array.isArray(value) ? value.map(hidePasswords) : value
}

function rowsOf(schema: z.ZodObject, base: string): SettingRow[] {
  const rows: SettingRow[] = []
  for (const [key, type] of Object.entries(schema.shape)) {
    const path = base === '' ? key : `${base}.${key}`
    if (type instanceof z.ZodObject) rows.push(...rowsOf(type, path))
    else rows.push(rowOf(path, type as z.ZodType))
  }
  return rows
}

function rowOf(path: string, type: z.ZodType): SettingRow {
  const shape = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Readonly<Record<string, unknown>>
  const meta = metaOf(type)
  const kind = Array.isArray(shape['type']) ? shape['type'].join('|') : shape['type']
  return {
    path,
    env: envName(path),
    type: typeof kind === 'string' ? kind : Array.isArray(shape['anyOf']) ? kindsOf(shape['anyOf']) : 'string',
    unit: meta.unit ?? '',
    default: 'default' in shape ? JSON.stringify(shape['default']) : '',
    bounds: boundsOf(shape),
    description: meta.description,
    secret: meta.secret === true,
    schema: shape,
  }
}

function kindsOf(options: readonly { readonly type?: string }[]): string {
  return options.map((option) => option.type ?? 'string').join('|')
}

function metaOf(type: z.ZodType): SettingMeta {
  let at: z.ZodType | undefined = type
  while (at !== undefined) {
    const meta = at.meta() as Partial<SettingMeta> | undefined
    if (meta?.description !== undefined) return { ...meta, description: meta.description }
    at = (at.def as { innerType?: z.ZodType }).innerType
  }
  return { description: '' }
}

function boundsOf(shape: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(shape['enum'])) return shape['enum'].join(' | ')
  const low = bound(shape, ['minimum', 'minLength', 'minItems'])
  const high = bound(shape, ['maximum', 'maxLength', 'maxItems'])
  const above = bound(shape, ['exclusiveMinimum'])
  if (above !== null && low === null) return high === null ? `> ${above}` : `> ${above}, ≤ ${high}`
  if (low !== null && high !== null) return `${low}–${high}`
  return low !== null ? `≥ ${low}` : high !== null ? `≤ ${high}` : ''
}

function bound(shape: Readonly<Record<string, unknown>>, names: readonly string[]): number | null {
  for (const name of names) {
    const value = shape[name]
    if (typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER) return value
  }
  return null
}

function readJson(file: string, problems: string[]): Json {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Json
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content
    problems.push(`${file} holds no JSON object`)
  } catch (error) {
    problems.push(`${file} cannot be read as JSON: ${(error as Error).message}`)
  }
  return {}
}

function* flatten(content: Json, known: ReadonlyMap<string, SettingRow>, base = ''): Generator<[string, Json]> {
  for (const [key, value] of Object.entries(content as { readonly [key: string]: Json })) {
    const path = base === '' ? key : `${base}.${key}`
    const group = typeof value === 'object' && value !== null && !Array.isArray(value) && !known.has(path)
    if (group) yield* flatten(value, known, path)
    else yield [path, value]
  }
}

function fromText(text: string, type: string): unknown {
  const kinds = type.split('|')
  if (kinds.includes('null') && (text === 'null' || text === '')) return null
  if ((kinds.includes('number') || kinds.includes('integer')) && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text))
    return Number(text)
  if (kinds.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (kinds.includes('array') && !text.startsWith('[')) {
    return text === '' ? [] : text.split(',').map((part) => part.trim())
  }
  if (kinds.includes('array') || kinds.includes('object')) {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  return text
}

function nest(rows: readonly SettingRow[], given: Tree): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const row of rows) {
    const keys = row.path.split('.')
    const last = keys.pop() as string
    let at = root
    for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>
    const entry = given.get(row.path)
    if (entry !== undefined) at[last] = entry.value
  }
  return root
}

function problemOf(issue: z.core.$ZodIssue, known: ReadonlyMap<string, SettingRow>, given: Tree): string {
  let path = issue.path.join('.')
  while (path !== '' && !known.has(path)) path = path.slice(0, Math.max(0, path.lastIndexOf('.')))
  const row = known.get(path)
  if (row === undefined) return issue.message
  const entry = given.get(path)
  const about = `${row.description}${row.bounds === '' ? '' : ` (${row.bounds}${row.unit === '' ? '' : ` ${row.unit}`})`}`
  if (entry === undefined) return `${path} is not set: ${issue.message}; set ${row.env}: ${about}`
  const value = row.secret ? '(hidden)' : JSON.stringify(entry.value)
  return `${path} = ${value} (from ${entry.from}): ${issue.message}; ${about}`
}
