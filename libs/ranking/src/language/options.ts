import type { z } from 'zod'
import { nearest } from '@freshet/domain/nearest'
import type { Span } from './ast.ts'
import { unknown, type LanguageProblem } from './problem.ts'

/** A named value of a call or a statement, evaluated. */
export interface GivenOption {
  readonly name: string
  readonly value: unknown
  readonly span: Span
}

/**
 * Checks named values against their schema and fills in defaults. `owner` is what they belong to, for example `` `clip` ``.
 * Gives null after a problem.
 */
export function readOptions<Options>(
  schema: z.ZodType<Options>,
  owner: string,
  options: readonly GivenOption[],
  span: Span,
  report: (problem: LanguageProblem) => void,
): Options | null {
  const known = namesOf(schema)
  let isGood = true
  /** Missing parameters that an unknown one most likely means. */
  const misspelt = new Set<string>()
  const problem = (place: Span, message: string): void => {
    isGood = false
    report({ code: 'SPEC_PARAMETER', span: place, message })
  }
  const given: Record<string, unknown> = {}
  for (const { name, value, span: place } of options) {
    if (known !== null && !known.includes(name)) {
      problem(place, unknown(`a parameter of ${owner}`, name, known))
      misspelt.add(nearest(name, known) ?? '')
    } else if (Object.hasOwn(given, name)) problem(place, `${owner} gets \`${name}\` twice; remove one`)
    else given[name] = value
  }
  const parsed = schema.safeParse(given)
  if (parsed.success) return isGood ? parsed.data : null
  for (const issue of parsed.error.issues) {
    const name = issue.path[0] === undefined ? null : String(issue.path[0])
    const place = options.find((option) => option.name === name)?.span
    if (name !== null && misspelt.has(name)) continue
    if (name !== null && place === undefined)
      problem(span, `${owner} needs the parameter \`${name}\`: ${demand(issue)}`)
    else if (name === null) problem(span, `${owner}: ${demand(issue)}`)
    else problem(place!, `\`${name}\` of ${owner} is ${JSON.stringify(given[name])}; ${demand(issue)}`)
  }
  return null
}

/** The parameters of a schema with their defaults as JSON; null: a parameter has none. */
export function parametersOf(
  schema: z.ZodType,
): readonly { readonly name: string; readonly standard: string | null }[] {
  const { shape = {} } = schema as { readonly shape?: Readonly<Record<string, z.ZodType>> }
  return (namesOf(schema) ?? []).map((name) => {
    const { defaultValue } = (shape[name]?.def ?? {}) as { readonly defaultValue?: unknown }
    return { name, standard: defaultValue === undefined ? null : JSON.stringify(defaultValue) }
  })
}

/** The words that a parameter may be; empty: it is not one of a few words. */
export function choicesOf(schema: z.ZodType, name: string): readonly string[] {
  const { shape = {} } = schema as { readonly shape?: Readonly<Record<string, z.ZodType>> }
  let field = shape[name] as { readonly def: Record<string, unknown> } | undefined
  while (field?.def['innerType'] !== undefined) field = field.def['innerType'] as typeof field
  return Object.values((field?.def['entries'] ?? {}) as Readonly<Record<string, string>>)
}

/** The names of a schema's fields; null: it does not say. */
function namesOf(schema: z.ZodType): readonly string[] | null {
  const { shape } = schema as { readonly shape?: Readonly<Record<string, unknown>> }
  if (shape !== undefined) return Object.keys(shape)
  const {
    in: inner,
    innerType,
    options,
  } = schema.def as {
    readonly in?: z.ZodType
    readonly innerType?: z.ZodType
    readonly options?: readonly z.ZodType[]
  }
  if (options !== undefined) {
    const all = options.map(namesOf)
    return all.includes(null) ? null : [...new Set(all.flatMap((names) => names ?? []))]
  }
  const wrapped = inner ?? innerType
  return wrapped === undefined ? null : namesOf(wrapped)
}

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a name or a text',
  boolean: 'true or false',
  array: 'a list in brackets',
  record: 'a map in braces',
  object: 'a map in braces',
}

/** What to give instead. */
function demand(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `give ${kinds[issue.expected] ?? issue.expected}`
    case 'too_small':
      return `give ${issue.origin === 'array' ? 'a list of ' : ''}${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`
    case 'too_big':
      return `give ${issue.origin === 'array' ? 'a list of ' : ''}${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`
    case 'invalid_value':
      return `give ${issue.values
        .map(String)
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1')}`
    default:
      return issue.message
  }
}
