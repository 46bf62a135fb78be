import { readFileSync } from 'node:fs'
import { isJsonObject, kindOf, shown } from '@freshet/contracts/json/fields'
import { actions, type Action } from '@freshet/domain/engagement'
import { ServiceError } from '@freshet/service/errors'
import { jsonErrorPosition } from '@freshet/service/json-body'
import { parsePath, type FieldRule, type FieldSource } from './field-sources.ts'
import {
  connectorFormats,
  defaultMapping,
  identifyCall,
  mappedFields,
  type ConnectorFormat,
  type ConnectorMapping,
  type EventRule,
  type FieldRules,
  type FormatMapping,
  type MappedField,
} from './mapping.ts'

/** One mistake in a mapping file. `place` leads to it: `segment.events["Pin Saved"].action`. */
export interface MappingProblem {
  readonly place: string
  /** Names the problem and the fix; continues a sentence that begins with the place. */
  readonly message: string
}

/** A mapping file with mistakes (CONFIG_INVALID). The message lists all of them. */
class MappingError extends ServiceError {
  readonly problems: readonly MappingProblem[]
  constructor(file: string, problems: readonly MappingProblem[]) {
    const lines = problems.map(({ place, message }) => `  ${place === '' ? 'the file' : place} ${message}`)
    const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`
    super('CONFIG_INVALID', `${file} has ${count}:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

/** Reads the mapping file; null: the default mapping. Throws a MappingError with all its mistakes. */
export function readMappingFile(file: string | null): ConnectorMapping {
  if (file === null) return defaultMapping
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new MappingError(file, [{ place: '', message: `cannot be read: ${(error as Error).message}` }])
  }
  const parsed = parseMappingText(text)
  if (!parsed.ok) throw new MappingError(file, parsed.problems)
  return parsed.mapping
}

/** The result of reading a mapping. */
export type ParsedMapping =
  | { readonly ok: true; readonly mapping: ConnectorMapping }
  | { readonly ok: false; readonly problems: readonly MappingProblem[] }

/** Reads a mapping from JSON text. */
export function parseMappingText(text: string): ParsedMapping {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const at = jsonErrorPosition(text, (error as Error).message)
    const before = text.slice(0, at ?? 0).split('\n')
    const place = at === null ? '' : ` at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`
    return { ok: false, problems: [{ place: '', message: `is not JSON${place}: ${(error as Error).message}` }] }
  }
  return parseMapping(value)
}

/** A file can have at most this many mistakes reported, rules for this many names, and this many sources for a field. */
const maxProblems = 100
const maxNames = 1_000
const maxSources = 16

/** Reads a mapping from parsed JSON. Reports all problems. */
export function parseMapping(value: unknown): ParsedMapping {
  const problems: MappingProblem[] = []
  const wrong: Wrong = (place, message) => {
    if (problems.length < maxProblems) problems.push({ place, message })
  }
  const file = objectAt('', value, [...connectorFormats, 'defaults'], wrong)
  if (file === null) return { ok: false, problems }
  const { defaults = true } = file
  if (typeof defaults !== 'boolean')
    wrong('defaults', `is ${kindOf(defaults)}; give true to add to the default mapping, or false to start without it`)
  const base = defaults === false ? emptyMapping : defaultMapping
  const formats = connectorFormats.map(
    (format) => [format, formatMapping(format, file[format], base[format], wrong)] as const,
  )
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, mapping: Object.fromEntries(formats) as Record<ConnectorFormat, FormatMapping> }
}

type Wrong = (place: string, message: string) => void

/** Names and times stay where the formats have them; no event has a rule. */
const withoutEvents = (format: ConnectorFormat): FormatMapping => ({ ...defaultMapping[format], events: new Map() })
const emptyMapping: ConnectorMapping = {
  cloudevents: withoutEvents('cloudevents'),
  segment: withoutEvents('segment'),
  json: withoutEvents('json'),
}

function formatMapping(format: ConnectorFormat, value: unknown, base: FormatMapping, wrong: Wrong): FormatMapping {
  if (value === undefined) return base
  const known = ['name', 'fields', 'events', 'keep', ...(format === 'segment' ? ['identify'] : [])]
  const given = objectAt(format, value, known, wrong)
  if (given === null) return base
  const events = new Map([...base.events, ...eventRules(`${format}.events`, given['events'], wrong)])
  const { identify } = given
  if (identify === 'drop') events.set(identifyCall, { kind: 'drop' })
  else if (identify === 'merge') events.set(identifyCall, identifyRule)
  else if (identify !== undefined)
    wrong('segment.identify', `is ${kindOf(identify)}; give "merge" (of anonymousId into userId) or "drop"`)
  return {
    name: given['name'] === undefined ? base.name : (fieldRule(`${format}.name`, given['name'], wrong) ?? base.name),
    fields: new Map([...base.fields, ...fieldRules(`${format}.fields`, given['fields'], wrong)]),
    events,
    keep: keptPlaces(`${format}.keep`, given['keep'], wrong),
  }
}

function keptPlaces(place: string, value: unknown, wrong: Wrong): FormatMapping['keep'] {
  if (value === undefined) return []
  const sources = Array.isArray(value) ? sourcesAt(place, value, wrong) : null
  if (!Array.isArray(value)) wrong(place, `is ${kindOf(value)}; give a list of paths such as ["properties"]`)
  return (sources ?? []).flatMap((source, index) => {
    if (source.kind === 'path') return [source.keys]
    wrong(`${place}[${index}]`, 'is a constant; give a path such as "properties"')
    return []
  })
}

const identifyRule = defaultMapping.segment.events.get(identifyCall) as EventRule

function eventRules(place: string, value: unknown, wrong: Wrong): ReadonlyMap<string, EventRule> {
  const rules = new Map<string, EventRule>()
  if (value === undefined) return rules
  const given = objectAt(place, value, null, wrong)
  if (given === null) return rules
  const names = Object.keys(given)
  if (names.length > maxNames) wrong(place, `has ${names.length} names; at most ${maxNames} are allowed`)
  for (const name of names.slice(0, maxNames)) {
    const at = `${place}[${shown(name)}]`
    if (name.trim() === '') wrong(at, 'is an empty name; give the name of an event')
    const rule = eventRule(at, given[name], wrong)
    if (rule !== null) rules.set(name, rule)
  }
  return rules
}

function eventRule(place: string, value: unknown, wrong: Wrong): EventRule | null {
  if (value === null) return { kind: 'drop' }
  if (typeof value === 'string') {
    const action = actionAt(place, value, wrong)
    return action === null ? null : { kind: 'engagement', action, fields: new Map() }
  }
  if (isJsonObject(value) && 'merge' in value) return mergeRule(place, value, wrong)
  const given = objectAt(place, value, ['action', 'fields', 'merge'], wrong)
  if (given === null) return null
  const action = actionAt(`${place}.action`, given['action'], wrong)
  const fields = fieldRules(`${place}.fields`, given['fields'], wrong)
  return action === null ? null : { kind: 'engagement', action, fields }
}

function mergeRule(place: string, value: Readonly<Record<string, unknown>>, wrong: Wrong): EventRule | null {
  objectAt(place, value, ['merge'], wrong)
  const merge = objectAt(`${place}.merge`, value['merge'], ['fromUserId', 'intoUserId'], wrong)
  if (merge === null) return null
  const fromUserId = fieldRule(`${place}.merge.fromUserId`, merge['fromUserId'], wrong)
  const intoUserId = fieldRule(`${place}.merge.intoUserId`, merge['intoUserId'], wrong)
  return fromUserId === null || intoUserId === null ? null : { kind: 'merge', fromUserId, intoUserId }
}

function actionAt(place: string, value: unknown, wrong: Wrong): Action | null {
  if (typeof value === 'string' && (actions as readonly string[]).includes(value)) return value as Action
  const found = value === undefined ? 'is missing' : `is ${kindOf(value)}`
  wrong(place, `${found}; give one of ${actions.join(', ')}, or null to drop these events`)
  return null
}

function fieldRules(place: string, value: unknown, wrong: Wrong): FieldRules {
  const rules = new Map<MappedField, FieldRule>()
  if (value === undefined) return rules
  const allowed = mappedFields.filter((field) => field !== 'action')
  const given = objectAt(place, value, allowed, wrong)
  if (given === null) return rules
  for (const field of allowed) {
    if (given[field] === undefined) continue
    const rule = fieldRule(`${place}.${field}`, given[field], wrong)
    if (rule !== null) rules.set(field, rule)
  }
  return rules
}

const wantedSource =
  'give a path such as "properties.pin_id", {"value": …} for a constant, or a list of them of which the first with a value counts'

/** A rule is a path, a constant, a list of both, or `{"first": […], "values": {…}, "unit": "s"}`. */
function fieldRule(place: string, value: unknown, wrong: Wrong): FieldRule | null {
  if (!isJsonObject(value) || 'value' in value) {
    const sources = sourcesAt(place, value, wrong)
    return sources === null ? null : { sources, values: null, unit: 'ms' }
  }
  const given = objectAt(place, value, ['first', 'values', 'unit'], wrong)
  if (given === null) return null
  const sources = sourcesAt(`${place}.first`, given['first'], wrong)
  const { unit = 'ms' } = given
  if (unit !== 'ms' && unit !== 's') wrong(`${place}.unit`, `is ${kindOf(unit)}; give "ms" or "s"`)
  const values = replacements(`${place}.values`, given['values'], wrong)
  return sources === null ? null : { sources, values, unit: unit === 's' ? 's' : 'ms' }
}

function replacements(place: string, value: unknown, wrong: Wrong): FieldRule['values'] {
  if (value === undefined) return null
  const given = objectAt(place, value, null, wrong)
  if (given === null) return null
  const values = new Map<string, string | number>()
  for (const [from, to] of Object.entries(given)) {
    if (typeof to === 'string' || typeof to === 'number') values.set(from, to)
    else wrong(`${place}[${shown(from)}]`, `is ${kindOf(to)}; give a string or a number`)
  }
  return values
}

function sourcesAt(place: string, value: unknown, wrong: Wrong): readonly FieldSource[] | null {
  if (Array.isArray(value)) {
    const given = value as readonly unknown[]
    if (given.length === 0 || given.length > maxSources) {
      wrong(place, `has ${given.length} sources; give 1 to ${maxSources}`)
      return null
    }
    const sources = given.map((each, index) => sourceAt(`${place}[${index}]`, each, wrong))
    return sources.every((source) => source !== null) ? sources : null
  }
  const source = sourceAt(place, value, wrong)
  return source === null ? null : [source]
}

function sourceAt(place: string, value: unknown, wrong: Wrong): FieldSource | null {
  if (typeof value === 'string') {
    const path = parsePath(value)
    if (typeof path !== 'string') return path
    wrong(place, path)
    return null
  }
  if (!isJsonObject(value)) {
    wrong(place, `is ${value === undefined ? 'missing' : kindOf(value)}; ${wantedSource}`)
    return null
  }
  const given = objectAt(place, value, ['value'], wrong)
  const constant = given?.['value']
  if (typeof constant === 'string' || typeof constant === 'number') return { kind: 'constant', value: constant }
  wrong(`${place}.value`, `is ${constant === undefined ? 'missing' : kindOf(constant)}; give a string or a number`)
  return null
}

/** The object at a place, whose keys must be known (null: any). */
function objectAt(
  place: string,
  value: unknown,
  known: readonly string[] | null,
  wrong: Wrong,
): Readonly<Record<string, unknown>> | null {
  if (!isJsonObject(value)) {
    wrong(place, `is ${value === undefined ? 'missing' : kindOf(value)}; give an object`)
    return null
  }
  for (const key of Object.keys(value)) {
    if (known === null || known.includes(key)) continue
    wrong(place === '' ? key : `${place}.${key}`, `is not known here; known are ${known.join(', ')}`)
  }
  return value
}
