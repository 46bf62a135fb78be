import { engagementFields } from '@freshet/contracts/json/engagement'
import { pinFields } from '@freshet/contracts/json/pin'
import { nearest } from '@freshet/domain/nearest'
import { namesSomebody, type Guess } from './guess.ts'
import type { FieldOfColumn, Mapping, Target } from './mapping.ts'
import { namesOf, plainName } from './names.ts'
import { ImportError } from './problem.ts'

/** Options of the command line about columns. */
export interface MappingOptions {
  readonly as: Target | null
  /** Field by column; null: ignore the column. */
  readonly mapped: ReadonlyMap<string, string | null>
  /** Columns that rules use. */
  readonly inRules: ReadonlySet<string>
}

/** The fields that `--map` accepts. */
export const fieldsOf: Readonly<Record<Target, readonly string[]>> = {
  engagements: [...engagementFields, 'rating'],
  pins: pinFields,
}

/** Whether a field is a time. One unit holds for all times of a file. */
export function isTimeField(field: string): boolean {
  return ['occurredAt', 'createdAt', 'availableFrom', 'expiresAt'].includes(field)
}

/**
 * Determines the fields of columns from the options, from their names, and from `guess` what these leave open. Throws an ImportError if a required field
 * has no column.
 */
export function mapColumns(
  file: string,
  columns: readonly string[],
  options: MappingOptions,
  guess: (mapping: Mapping) => readonly Guess[] = () => [],
): Mapping {
  for (const name of [...options.mapped.keys(), ...options.inRules]) {
    if (name === '*' || columns.includes(name)) continue
    const near = nearest(name, columns)
    throw new ImportError(
      file,
      `--map names the column ${JSON.stringify(name)}, which does not exist${near === null ? '' : `; did you mean ${JSON.stringify(near)}?`} (columns: ${columns.join(', ')})`,
    )
  }
  const all = [...new Set([...fieldsOf.engagements, ...fieldsOf.pins])]
  checkFields(
    file,
    options,
    options.as === null ? 'pins and engagements have' : `${options.as} have`,
    options.as === null ? all : fieldsOf[options.as],
  )
  const named = proposeColumns(columns, options)
  // A column that the user gave up is not guessed either.
  const open = named.unused.filter((name) => options.mapped.get(name) !== null)
  const mapping = withGuesses(named, guess({ ...named, unused: open }))
  checkFields(file, options, `${mapping.as} have`, fieldsOf[mapping.as])
  checkComplete(file, mapping, columns, options)
  return mapping
}

/** The fields of columns as far as options and names say, even if a required field has no column. */
export function proposeColumns(columns: readonly string[], options: MappingOptions): Mapping {
  const as = options.as ?? guessTarget(columns, options)
  const fields = fieldsByColumn(columns, as, options)
  const unused = columns.filter(
    (name, at) => !fields.some(({ column }) => column === at) && !options.inRules.has(name) && name !== '',
  )
  return { as, fields, unused }
}

/** A guess takes a column from another field, as the session that becomes the user. */
function withGuesses(mapping: Mapping, guesses: readonly Guess[]): Mapping {
  const isTaken = (column: number): boolean => guesses.some((guess) => guess.column === column)
  return {
    ...mapping,
    fields: [...mapping.fields.filter(({ column }) => !isTaken(column)), ...guesses],
    unused: mapping.unused.filter((name) => !guesses.some((guess) => guess.name === name)),
  }
}

function checkFields(file: string, { mapped }: MappingOptions, who: string, fields: readonly string[]): void {
  for (const [name, field] of mapped) {
    if (field === null || fields.includes(field)) continue
    const near = nearest(field, fields)
    throw new ImportError(
      file,
      `--map ${name}=${field}: ${who} no field ${JSON.stringify(field)}${near === null ? '' : `; did you mean ${near}?`} (fields: ${fields.join(', ')})`,
    )
  }
}

function fieldsByColumn(columns: readonly string[], as: Target, { mapped }: MappingOptions): FieldOfColumn[] {
  const fields: FieldOfColumn[] = []
  const taken = new Set<string>()
  columns.forEach((name, column) => {
    const field = mapped.get(name)
    if (typeof field !== 'string') return
    fields.push({ field, column, name })
    taken.add(field)
  })
  for (const [field, names] of Object.entries(namesOf[as])) {
    if (taken.has(field)) continue
    const plain = columns.map((name) => (mapped.has(name) ? '' : plainName(name)))
    const found = names.map((name) => plain.indexOf(name)).find((at) => at >= 0)
    if (found === undefined || fields.some(({ column }) => column === found)) continue
    fields.push({ field, column: found, name: columns[found] ?? '' })
  }
  return fields
}

/** Rows with a user are engagements. */
function guessTarget(columns: readonly string[], { mapped }: MappingOptions): Target {
  const given = [...mapped.values()].filter((field) => field !== null)
  return namesSomebody(
    columns.filter((name) => !mapped.has(name)),
    given,
  )
    ? 'engagements'
    : 'pins'
}

function checkComplete(
  file: string,
  { as, fields, unused }: Mapping,
  columns: readonly string[],
  options: MappingOptions,
): void {
  const has = (field: string): boolean => fields.some((each) => each.field === field)
  const lacks = (field: string, what: string): never => {
    const names = Object.keys(Object.fromEntries((namesOf[as][field] ?? []).map((name) => [name, 0])))
    const near = unused.find((name) => nearest(plainName(name), names) !== null)
    throw new ImportError(
      file,
      `no column is the ${what}${near === undefined ? '' : `; is it ${JSON.stringify(near)}?`} Give --map ${near ?? 'COLUMN'}=${field} (columns: ${columns.join(', ')}${as === 'pins' ? '; the file is read as pins because no column is the user; --as engagements changes this' : ''})`,
    )
  }
  if (as === 'engagements') {
    if (!has('userId')) lacks('userId', 'user')
    if (!has('pinId') && !has('boardId') && !has('creatorId') && !has('topicId') && !has('word'))
      lacks('pinId', 'pin (item)')
    return
  }
  if (!has('pinId')) lacks('pinId', 'pin (item)')
  // Ids and dates alone may as well be events whose user has a name in another language.
  const isKnown = options.as === 'pins' || [...options.mapped.values()].some((field) => field !== null)
  const isVague = (name: string): boolean => !isKnown && ['date', 'timestamp'].includes(plainName(name))
  if (fields.some(({ field, name }) => field !== 'pinId' && !isVague(name))) return
  const what = fields.length > 1 ? 'ids and dates of pins' : 'ids of pins'
  throw new ImportError(
    file,
    `contains only ${what}; give --map COLUMN=title (or topics, creatorId, …), or --as engagements${fields.length > 1 ? ' or --as pins' : ''} (columns: ${columns.join(', ')})`,
  )
}

/** Unused columns whose names resemble a field, with that field. */
export function nearFields({ as, fields, unused }: Mapping): ReadonlyMap<string, string> {
  const free = Object.entries(namesOf[as]).filter(([field]) => !fields.some((each) => each.field === field))
  const hints = new Map<string, string>()
  for (const name of unused) {
    const near = free.find(([, names]) => nearest(plainName(name), names) !== null && plainName(name).length > 3)
    if (near !== undefined) hints.set(name, near[0])
  }
  return hints
}
