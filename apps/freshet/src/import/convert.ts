import { hash } from 'node:crypto'
import { actions, type Action } from '@freshet/domain/engagement'
import { isTimeField } from './fields.ts'
import type { FieldOfColumn, Mapping } from './mapping.ts'
import type { Row } from './rows.ts'
import { actionSynonyms, matches, type Rule } from './rules.ts'
import type { TimeReader } from './times.ts'

/** How the rows of a file become events. */
export interface Conversion {
  readonly mapping: Mapping
  /** The first rule that matches decides the action. */
  readonly rules: readonly Rule[]
  /** The maximum rating. The rules assume this scale, so higher ratings are refused; null: the rules do not use ratings. */
  readonly scale: number | null
  /** Reads the columns of times; null: there is none. */
  readonly time: TimeReader | null
  /** The time of rows without a time, RFC 3339; null: each row must have one. */
  readonly occurredAt: string | null
  readonly columns: readonly string[]
  /** true (JSON lines): unknown fields are refused. false (tables): unknown columns are ignored. */
  readonly strict: boolean
  /** Separates topics within a cell. */
  readonly listSeparator: string
}

/** The result for a row: an event as the HTTP API takes it, a row that the rules skip, or a problem. */
export type Converted =
  | { readonly event: Readonly<Record<string, unknown>> }
  | { readonly leftOut: true }
  | { readonly code: string; readonly field: string; readonly message: string }

type Problem = Extract<Converted, { code: string }>

const numberFields: ReadonlySet<string> = new Set(['position', 'dwellMs', 'weight'])

/** Creates the function that turns the rows of a file into events. */
export function createConverter(conversion: Conversion): (row: Row) => Converted {
  const { mapping, columns } = conversion
  const convert = mapping.as === 'engagements' ? engagementConverter(conversion) : pinConverter(conversion)
  const unknown = conversion.strict ? mapping.unused : []
  const unusedAt = unknown.map((name) => columns.indexOf(name))
  return (row) => {
    if ('problem' in row) return { code: 'ROW_MALFORMED', field: '', message: row.problem }
    const { cells, extra = [] } = row
    const at = unusedAt.find((column) => cells[column] !== undefined)
    const stranger = extra[0] ?? (at === undefined ? undefined : columns[at])
    if (stranger !== undefined) {
      const message = `${stranger} is not a field of ${mapping.as}; give --map '${stranger}=-' to ignore it, or --map ${stranger}=FIELD`
      return problem('EVENT_FIELD_UNKNOWN', stranger, message)
    }
    return convert(cells)
  }
}

function engagementConverter(conversion: Conversion): (cells: readonly unknown[]) => Converted {
  const { mapping, time, occurredAt } = conversion
  const plain = mapping.fields.filter(({ field }) => !['action', 'rating', 'occurredAt'].includes(field))
  const timeField = mapping.fields.find(({ field }) => field === 'occurredAt')
  const decide = actionDecider(conversion)
  return (cells) => {
    const event: Record<string, unknown> = {}
    for (const { field, column } of plain) {
      const cell = cells[column]
      if (cell === undefined || cell === null) continue
      const value = typeof cell === 'string' ? cell.trim() : typeof cell === 'number' ? String(cell) : cell
      if (value === '') continue
      event[field] = numberFields.has(field) && typeof value === 'string' ? Number(value) : value
    }
    let at = occurredAt
    if (timeField !== undefined && time !== null) {
      const cell = cells[timeField.column]
      at = time.read(cell) ?? at
      if (at === null) return timeProblem(timeField, time, cell)
    }
    event['occurredAt'] = at
    const decided = decide(cells)
    if ('code' in decided || 'leftOut' in decided) return decided
    event['action'] = decided.action
    event['eventId'] ??= createEventId(event, decided.source)
    return { event }
  }
}

/** The action of a row, and the cells that it comes from. The cells are part of the event id. So two kinds of event in the same second stay two events, and other rules do not create new events. */
type Decided = { readonly action: Action; readonly source: string } | { readonly leftOut: true } | Problem

function actionDecider({ mapping, rules, scale, columns }: Conversion): (cells: readonly unknown[]) => Decided {
  const actionField = mapping.fields.find(({ field }) => field === 'action')
  const ratingField = mapping.fields.find(({ field }) => field === 'rating')
  const ruled = rules.map((rule) => ({ rule, column: columns.indexOf(rule.column) }))
  return (cells) => {
    const source = `${readText(actionField, cells)}\u001f${readText(ratingField, cells)}`
    if (scale !== null && ratingField !== undefined) {
      const cell = readText(ratingField, cells)
      const value = cell === '' ? Number.NaN : Number(cell)
      if (!(value >= 0 && value <= scale)) {
        const what = cell === '' ? 'is missing' : `is ${shown(cell)}`
        const message = `${ratingField.name} ${what}; the scale ends at ${scale}; give rules with --map to change this`
        return problem('EVENT_FIELD_VALUE', ratingField.name, message)
      }
    }
    for (const { rule, column } of ruled) {
      const fit = column < 0 ? rule.column === '*' : matches(rule, plainText(cells[column]))
      if (fit === undefined)
        return problem(
          'EVENT_FIELD_VALUE',
          rule.column,
          `${rule.column} is ${shown(plainText(cells[column]))}, which is not a number`,
        )
      if (fit) return rule.action === null ? { leftOut: true } : { action: rule.action, source }
    }
    if (actionField === undefined) return { leftOut: true }
    const cell = readText(actionField, cells)
    const action = findAction(cell)
    if (action !== null) return { action, source }
    const message = `${actionField.name} is ${shown(cell)}, which is not an action; give --map '${actionField.name}=${cell || 'VALUE'}:click' (or another action, or - to skip such rows)`
    return problem('EVENT_FIELD_VALUE', actionField.name, message)
  }
}

/** The action with this name; null: none. */
function findAction(text: string): Action | null {
  if (actions.includes(text as Action)) return text as Action
  const plain = text.toLowerCase().replaceAll(/[\s_-]/g, '')
  if (actions.includes(plain as Action)) return plain as Action
  return actionSynonyms[plain] ?? null
}

/** An id from the content of the row, so that it does not depend on file, order and rules. */
function createEventId(event: Readonly<Record<string, unknown>>, source: string): string {
  const parts = ['userId', 'pinId', 'boardId', 'creatorId', 'topicId', 'occurredAt', 'sessionId', 'feedId', 'position']
  // Only events with a word have the part, so that the ids of others stay as they were.
  if (event['word'] !== undefined) parts.push('word')
  const content = parts.map((field) => plainText(event[field])).join('\u001f')
  return `import-${hash('sha1', `${content}\u001f${source}`, 'base64url').slice(0, 22)}`
}

function pinConverter({ mapping, time, listSeparator }: Conversion): (cells: readonly unknown[]) => Converted {
  return (cells) => {
    const event: Record<string, unknown> = {}
    for (const each of mapping.fields) {
      const cell = cells[each.column]
      if (cell === undefined || cell === null || cell === '') continue
      if (isTimeField(each.field) && time !== null) {
        const at = time.read(cell)
        if (at === null) return timeProblem(each, time, cell)
        event[each.field] = at
      } else {
        const value = pinValue(each.field, cell, listSeparator)
        if (value !== undefined) event[each.field] = value
      }
    }
    return { event }
  }
}

function pinValue(field: string, cell: unknown, separator: string): unknown {
  if (typeof cell === 'number') return field === 'visualEmbedding' || field === 'minAge' ? cell : String(cell)
  if (typeof cell !== 'string') return cell
  const text = cell.trim()
  if (text === '') return undefined
  if (field === 'minAge') return Number(text)
  if (field === 'topics' || field === 'safetyLabels') {
    const names = text.split(separator).map((name) => name.trim())
    return [...new Set(names)].filter((name) => name !== '' && name !== '(no genres listed)')
  }
  if (field === 'visualEmbedding') {
    const numbers = text.replaceAll(/[[\]]/g, '').split(/[|,;\s]+/)
    return numbers.filter((number) => number !== '').map(Number)
  }
  if (field === 'deleted') return /^(true|1|yes)$/i.test(text) ? true : /^(false|0|no)$/i.test(text) ? false : text
  return text
}

function timeProblem({ name }: FieldOfColumn, { unit }: TimeReader, cell: unknown): Problem {
  const what = plainText(cell) === '' ? 'is empty' : `is ${shown(plainText(cell))}`
  return problem('EVENT_TIME_INVALID', name, `${name} ${what}; times are read as ${unit}; --time-unit changes this`)
}

function problem(code: string, field: string, message: string): Problem {
  return { code, field, message }
}

function readText(field: FieldOfColumn | undefined, cells: readonly unknown[]): string {
  return field === undefined ? '' : plainText(cells[field.column])
}

/** A cell as trimmed text; JSON values as JSON. */
export function plainText(cell: unknown): string {
  if (typeof cell === 'string') return cell.trim()
  return typeof cell === 'number' || typeof cell === 'boolean' ? String(cell) : cell == null ? '' : JSON.stringify(cell)
}

function shown(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`)
}
