import { createHash } from 'node:crypto'
import { isJsonObject, kindOf, shown } from '@freshet/contracts/json/fields'
import { parseEngagementJson, type ParsedEngagement } from '@freshet/contracts/json/engagement'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { formatTime, maxTimeMs, minTimeMs, unitFault } from '@freshet/contracts/json/time'
import type { Action } from '@freshet/domain/engagement'
import { formatSources, readField, type FieldRule } from './field-sources.ts'
import { mappedFields, type EventRule, type FormatMapping, type MappedField } from './mapping.ts'

/** Why an event has no consequence, though its sender made no mistake. */
export type SkipReason =
  'unknown-name' | 'dropped' | 'ignored-call' | 'nothing-to-merge' | 'merge-denied' | 'empty-record'

/** What an event of another system is for Freshet. */
export type MappedEvent =
  | { readonly kind: 'engagement'; readonly document: MappedDocument; readonly parsed: ParsedEngagement }
  | {
      readonly kind: 'merge'
      readonly fromUserId: string
      readonly intoUserId: string
      readonly occurredAtMs: number | null
    }
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly message: string }
  | { readonly kind: 'refused'; readonly problems: readonly [IngestProblem, ...IngestProblem[]] }

/** An engagement in JSON as the mapping made it, before it is checked. */
export type MappedDocument = Readonly<Record<string, unknown>>

/** An event of another system with what its protocol says about it. */
export interface ForeignEvent {
  /** The event itself, in which paths are looked up. */
  readonly document: unknown
  /** Its place in the request, e.g. `batch[3]`; empty: the request is one event. */
  readonly at: string
  /** The id by which repeats are noticed, unless the mapping says where it is. */
  readonly eventId: string
  /** When it arrived, milliseconds since the epoch: its time if it has none of its own. */
  readonly arrivedAtMs: number
  /** The name under which its rule is found; absent: where the mapping says that the name is. */
  readonly name?: string
}

/** Reads an event by a mapping. The result depends on both alone. */
export function mapEvent(event: ForeignEvent, mapping: FormatMapping): MappedEvent {
  const { document, at } = event
  const name = event.name ?? nameOf(document, mapping)
  if (typeof name !== 'string') {
    const text = `has no name: ${formatSources(mapping.name)} is ${name === undefined ? 'missing' : kindOf(name)}; give the name of the event`
    return refusedWith(problemAt(at, '', 'EVENT_FIELD_MISSING', text))
  }
  const rule = mapping.events.get(name)
  if (rule === undefined) {
    const message = `no rule for events named ${shown(name)}; add the name to the mapping file (ingest.connectors.file)`
    return { kind: 'skipped', reason: 'unknown-name', message }
  }
  if (rule.kind === 'drop')
    return { kind: 'skipped', reason: 'dropped', message: `the mapping file drops events named ${shown(name)}` }
  return rule.kind === 'merge' ? mapMerge(event, rule, mapping) : mapEngagement(event, rule, mapping)
}

function nameOf(document: unknown, mapping: FormatMapping): unknown {
  const found = readField(document, mapping.name)?.value
  return typeof found === 'number' ? String(found) : found
}

function mapEngagement(
  { document, at, eventId, arrivedAtMs }: ForeignEvent,
  rule: Extract<EventRule, { kind: 'engagement' }>,
  mapping: FormatMapping,
): MappedEvent {
  const mapped: Record<string, unknown> = { eventId, action: rule.action, occurredAt: formatTime(arrivedAtMs) }
  const rules = new Map<string, FieldRule>()
  const found: IngestProblem[] = []
  for (const field of mappedFields) {
    if (field === 'action') continue
    const own = rule.fields.get(field)
    const common = takes(rule.action, field) ? mapping.fields.get(field) : undefined
    const read = own ?? common
    if (read === undefined) continue
    rules.set(field, read)
    const value = readField(document, read)?.value
    if (value === undefined) continue
    const converted = convert(field, value, read)
    if (typeof converted === 'object' && converted !== null && 'fault' in converted) {
      found.push(problemAt(at, field, 'EVENT_TIME_UNIT', converted.fault as string))
    } else mapped[field] = converted
  }
  const parsed = explained(parseEngagementJson(mapped, at), at, rules)
  if (found.length === 0) return { kind: 'engagement', document: mapped, parsed }
  return refusedWith(found[0] as IngestProblem, ...found.slice(1), ...(parsed.ok ? [] : parsed.problems))
}

function mapMerge(
  { document, at }: ForeignEvent,
  rule: Extract<EventRule, { kind: 'merge' }>,
  mapping: FormatMapping,
): MappedEvent {
  const [from, into] = [rule.fromUserId, rule.intoUserId].map((each) =>
    convert('userId', readField(document, each)?.value, each),
  )
  if (from === undefined || into === undefined || from === into) {
    const why =
      from === into && from !== undefined
        ? 'both ids are the same'
        : `${formatSources(from === undefined ? rule.fromUserId : rule.intoUserId)} is missing`
    return { kind: 'skipped', reason: 'nothing-to-merge', message: `there are no two users to merge: ${why}` }
  }
  const time = mapping.fields.get('occurredAt')
  const occurredAt = time === undefined ? undefined : convert('occurredAt', readField(document, time)?.value, time)
  // The reader of engagements checks ids and times, so a merge is checked as if it were one.
  const check = (userId: unknown): ParsedEngagement =>
    parseEngagementJson(
      { eventId: 'merge', userId, action: 'click', pinId: 'merge', occurredAt: occurredAt ?? '2000-01-01T00:00:00Z' },
      at,
    )
  const [checkedFrom, checkedInto] = [check(from), check(into)]
  const problems = [checkedFrom, checkedInto].flatMap((each, index) =>
    each.ok ? [] : each.problems.map((problem) => renamed(problem, at, index === 0 ? 'fromUserId' : 'intoUserId')),
  )
  const [first, ...more] = problems
  if (first !== undefined) return refusedWith(first, ...more)
  const occurredAtMs = checkedFrom.ok && occurredAt !== undefined ? checkedFrom.engagement.occurredAtMs : null
  return { kind: 'merge', fromUserId: from as string, intoUserId: into as string, occurredAtMs }
}

function renamed(problem: IngestProblem, at: string, field: string): IngestProblem {
  const before = at === '' ? 'userId' : `${at}.userId`
  if (problem.field !== before) return problem
  const after = at === '' ? field : `${at}.${field}`
  return { ...problem, field: after, message: problem.message.replace(before, after) }
}

function refusedWith(first: IngestProblem, ...more: readonly IngestProblem[]): MappedEvent {
  return { kind: 'refused', problems: [first, ...more] }
}

const ofOthers: ReadonlySet<Action> = new Set<Action>(['follow', 'unfollow', 'block', 'unblock'])
const ofBoards: ReadonlySet<Action> = new Set<Action>(['save', 'unsave'])
const ofWords: ReadonlySet<Action> = new Set<Action>(['block', 'unblock'])

/** Whether an engagement of this action can have the field, so that common fields do not spoil events that cannot. */
function takes(action: Action, field: MappedField): boolean {
  if (field === 'pinId') return !ofOthers.has(action)
  if (field === 'creatorId' || field === 'topicId') return ofOthers.has(action)
  if (field === 'boardId') return ofOthers.has(action) || ofBoards.has(action)
  if (field === 'word') return ofWords.has(action)
  return true
}

const numbers: ReadonlySet<string> = new Set(['position', 'dwellMs', 'weight'])
const notIds: ReadonlySet<string> = new Set(['surface', 'word', ...numbers])

/** Other systems write ids as numbers, numbers as texts and times as numbers. Anything else stays as it is, for the checks to refuse. */
function convert(field: MappedField, value: unknown, { unit }: FieldRule): unknown {
  if (field === 'occurredAt') return convertTime(value, unit)
  if (numbers.has(field))
    return typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value
  return !notIds.has(field) && typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
}

function convertTime(value: unknown, unit: FieldRule['unit']): unknown {
  const number = typeof value === 'string' && /^\d{9,17}(\.\d{1,9})?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') return value
  const timeMs = Math.round(unit === 's' ? number * 1000 : number)
  const fault = unitFault(timeMs)
  if (fault !== null) return { fault: `${fault.text}, or say "unit": "s" in the mapping file` }
  return timeMs >= minTimeMs && timeMs <= maxTimeMs ? formatTime(timeMs) : value
}

/** Adds to each problem where the mapping looked for the field. */
function explained(parsed: ParsedEngagement, at: string, rules: ReadonlyMap<string, FieldRule>): ParsedEngagement {
  if (parsed.ok) return parsed
  const problems = parsed.problems.map((problem): IngestProblem => {
    const field = at === '' ? problem.field : problem.field.slice(at.length + 1)
    const rule = rules.get(field)
    if (rule === undefined) return problem
    return { ...problem, message: `${problem.message} (mapped from ${formatSources(rule)})` }
  })
  return { ...parsed, problems, problem: problems[0] ?? parsed.problem }
}

/** An event id made of parts: the same parts give the same id. 27 characters after the prefix. */
export function eventIdOf(prefix: string, ...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:${part}`)
  return `${prefix}-${hash.digest('base64url').slice(0, 27)}`
}

/** Whether a value is a JSON object, and if not, the problem of an event at this place. */
export function shapeProblem(document: unknown, at: string): IngestProblem | null {
  if (isJsonObject(document)) return null
  return problemAt(at, '', 'EVENT_SHAPE', `is ${kindOf(document)}; give an object`)
}
