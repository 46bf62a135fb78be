import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { ConfigError } from './errors.ts'
import { editDistance, nearest } from '@freshet/domain/nearest'
import { serviceLinks } from './service-links.ts'
import { describeConfig, envName, settingGroups, variablePrefix, type SettingRow } from './setting-rows.ts'

/** Where settings come from; later ones win: defaults, file, environment, overrides. */
export interface ConfigSources {
  /** Path of a JSON file; absent: the path in `FRESHET_CONFIG`, if it is set. */
  readonly file?: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Command line: dotted path → text. */
  readonly overrides?: Readonly<Record<string, string>>
  /** Keys of earlier versions: dotted path → what replaces it. */
  readonly removed?: Readonly<Record<string, string>>
  /** Receives the variables that have our prefix but resemble no setting here: settings of other services in a shared environment. */
  readonly onForeign?: (names: readonly string[]) => void
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Tree = Map<string, { readonly value: unknown; readonly from: string }>

const fileVariable = 'FRESHET_CONFIG'

/**
 * Reads and checks a configuration. Throws a ConfigError that lists every problem: unknown settings and groups with the nearest known name,
 * removed keys with their successor, wrong values with their bounds. A JSON object may set a whole group:
 * `FRESHET_CANDIDATES_RETRIEVAL={"maxPins":5}`. Services may share an environment, so an unknown variable is an error
 * only if it resembles a known one.
 */
export function loadConfig<Schema extends z.ZodObject>(schema: Schema, sources: ConfigSources): z.output<Schema> {
  const reading = createReading(describeConfig(schema), sources.removed ?? {})
  readFile(reading, sources.file ?? sources.env[fileVariable])
  const foreign = readEnvironment(reading, sources.env)
  if (foreign.length > 0) sources.onForeign?.(foreign)
  readCommandLine(reading, sources.overrides ?? {})
  const parsed = schema.safeParse(nest(reading.rows, reading.given))
  if (parsed.success && reading.problems.length === 0) return parsed.data
  const found = (parsed.error?.issues ?? []).map((issue) => problemOf(issue, reading.known, reading.given))
  throw new ConfigError([...reading.problems, ...found])
}

/** The state of reading a configuration. */
interface Reading {
  readonly rows: readonly SettingRow[]
  readonly known: ReadonlyMap<string, SettingRow>
  /** Dotted paths of groups of settings. */
  readonly groups: ReadonlySet<string>
  readonly removed: Readonly<Record<string, string>>
  readonly given: Tree
  readonly problems: string[]
}

function createReading(rows: readonly SettingRow[], removed: Readonly<Record<string, string>>): Reading {
  const known = new Map(rows.map((row) => [row.path, row]))
  return { rows, known, groups: settingGroups(rows), removed, given: new Map(), problems: [] }
}

function readFile(reading: Reading, file: string | undefined): void {
  if (file === undefined || file === '') return
  takeTree(reading, readJson(file, reading.problems), '', file)
}

/** Reads every setting of a JSON object below the path `base`. */
function takeTree(reading: Reading, content: Json, base: string, from: string): void {
  const { known, groups, given } = reading
  for (const [path, value] of flatten(content, reading, base)) {
    if (known.has(path)) given.set(path, { value, from })
    else reject(reading, { path, shown: path, from }, [...known.keys(), ...groups])
  }
}

/** Reads a group from the text of a JSON object; false: the text is not a JSON object. */
function takeGroup(reading: Reading, path: string, text: string, from: string): boolean {
  const content = objectIn(text)
  if (content === null) return false
  takeTree(reading, content, path, from)
  return true
}

/** Reads the environment. Returns the variables that have our prefix but resemble no setting. */
function readEnvironment(reading: Reading, env: ConfigSources['env']): readonly string[] {
  const { rows, groups, removed, given } = reading
  const byEnv = new Map(rows.map((row) => [row.env, row]))
  const groupByEnv = new Map([...groups].map((path) => [envName(path), path]))
  const removedByEnv = new Map(Object.keys(removed).map((path) => [envName(path), path]))
  const links = serviceLinks(env)
  const foreign: string[] = []
  const entries = Object.entries(env).filter(
    ([name, text]) =>
      name.startsWith(variablePrefix) && name !== fileVariable && text !== undefined && !links.has(name),
  ) as [string, string][]
  // A single setting wins over its group, and a smaller group over a larger one.
  const depth = (name: string): number => groupByEnv.get(name)?.split('.').length ?? Infinity
  for (const [name, text] of entries.sort(([a], [b]) => Math.sign(depth(a) - depth(b)) || 0)) {
    const row = byEnv.get(name)
    const group = groupByEnv.get(name)
    if (row !== undefined) given.set(row.path, { value: fromText(text, row.type), from: name })
    else if (group !== undefined && takeGroup(reading, group, text, name)) continue
    else {
      const path = removedByEnv.get(name)
      if (path === undefined && !isMisspelt(name, rows)) foreign.push(name)
      else reject(reading, { path: path ?? name, shown: name, from: 'the environment' }, [...byEnv.keys()])
    }
  }
  return foreign
}

function readCommandLine(reading: Reading, overrides: Readonly<Record<string, string>>): void {
  const { rows, known, groups, given } = reading
  for (const [path, text] of Object.entries(overrides)) {
    const row = known.get(path)
    const from = `--${path}`
    if (row !== undefined) given.set(path, { value: fromText(text, row.type), from })
    else if (!groups.has(path) || !takeGroup(reading, path, text, from)) {
      const candidates = rows.map((each) => `--${each.path}`)
      reject(reading, { path, shown: from, from: 'the command line' }, candidates)
    }
  }
}

function reject(
  { removed, problems }: Reading,
  { path, shown, from }: { readonly path: string; readonly shown: string; readonly from: string },
  candidates: readonly string[],
): void {
  const successor = removed[path]
  if (successor !== undefined) problems.push(`${shown} (from ${from}) was removed; use ${successor}`)
  else {
    const near = nearest(shown, candidates)
    problems.push(`${shown} (from ${from}) is not a setting${near === null ? '' : `; did you mean ${near}?`}`)
  }
}

/** A configuration for people to read, without secrets and without passwords in addresses. */
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

/** A variable is a misspelt setting if it resembles a setting of the same group. Other services in the environment have similar settings in other groups. */
function isMisspelt(name: string, rows: readonly SettingRow[]): boolean {
  const bare = name.slice(variablePrefix.length)
  const alike = rows.filter(({ path }) => {
    const dot = path.indexOf('.')
    if (dot < 0) return true
    const group = envName(path.slice(0, dot)).slice(variablePrefix.length)
    const same = bare.split('_').slice(0, group.split('_').length).join('_')
    return editDistance(group, same) <= maxGroupDistance
  })
  return (
    nearest(
      bare,
      alike.map(({ env }) => env.slice(variablePrefix.length)),
    ) !== null
  )
}

/** `kafak` is taken for `kafka`; `trainer` is not taken for `blender`. */
const maxGroupDistance = 2

function hidePasswords(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/(\w+:\/\/[^:/@\s]*):[^@\s]*@/g, '$1:(hidden)@')
  return Array.isArray(value) ? value.map(hidePasswords) : value
}

function readJson(file: string, problems: string[]): Json {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Json
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content
    problems.push(`${file} does not contain a JSON object`)
  } catch (error) {
    problems.push(`${file} cannot be read as JSON: ${(error as Error).message}`)
  }
  return {}
}

/** The object in a JSON text; null: the text is not a JSON object. */
function objectIn(text: string): Json {
  try {
    const content = JSON.parse(text) as Json
    return typeof content === 'object' && !Array.isArray(content) ? content : null
  } catch {
    return null
  }
}

/** Every setting in a JSON object, by path. An unknown group counts as a setting if it is empty, so that it is rejected. */
function* flatten(content: Json, reading: Pick<Reading, 'known' | 'groups'>, base: string): Generator<[string, Json]> {
  for (const [key, value] of Object.entries(content as { readonly [key: string]: Json })) {
    const path = base === '' ? key : `${base}.${key}`
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    const isGroup = isObject && !reading.known.has(path)
    if (isGroup && (reading.groups.has(path) || Object.keys(value).length > 0)) yield* flatten(value, reading, path)
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
