import { CodedError } from '@freshet/domain/coded-error'
import { nearest } from '@freshet/domain/nearest'
import type { z } from 'zod'
import { rankingErrorCatalogue } from '../errors.ts'
import { specSchema } from './schema.ts'

/** A ranking spec cannot be used. `problems` lists every problem. */
export class SpecError extends CodedError<'RANKING_SPEC_INVALID'> {
  readonly problems: readonly string[]
  constructor(problems: readonly string[], file?: string) {
    const name = file === undefined ? 'the ranking spec' : `the ranking spec ${file}`
    const list = problems.map((problem) => `  ${problem}`).join('\n')
    const { RANKING_SPEC_INVALID } = rankingErrorCatalogue
    super(
      'RANKING_SPEC_INVALID',
      RANKING_SPEC_INVALID,
      `${name} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${list}`,
    )
    this.problems = problems
  }
}

/** The message for an unknown name. It suggests the nearest known name, or else lists all names. */
export function unknownName(place: string, what: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  const fix = near === null ? `there are ${known.join(', ')}` : `did you mean ${near}?`
  return `${place} is not ${what}; ${fix}`
}

/** Problems of the shape of a spec: one sentence each, with the field and what to write instead. */
export function shapeProblems(given: unknown): readonly string[] {
  return specSchema.safeParse(given).error?.issues.flatMap((issue) => describeIssue(issue, given)) ?? []
}

function describeIssue(issue: z.core.$ZodIssue, given: unknown): readonly string[] {
  const place = issue.path.length === 0 ? 'the spec' : issue.path.map(String).join('.')
  const value = valueAt(given, issue.path)
  const found = value === undefined ? 'is missing' : `is ${short(value)}`
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownSetting(issue.path.map(String), key))
    case 'invalid_type':
      return [`${place} ${found}; give ${kinds[issue.expected] ?? issue.expected}`]
    case 'too_small':
      return [`${place} ${found}; give ${issue.origin === 'string' ? 'a name' : `${above(issue)} ${issue.minimum}`}`]
    case 'too_big':
      return [
        issue.origin === 'string'
          ? `${place} has ${String(value).length} characters; give at most ${issue.maximum}`
          : `${place} ${found}; give at most ${issue.maximum}`,
      ]
    case 'custom':
      return [
        issue.message.startsWith('is ')
          ? `${place} ${short(value)} ${issue.message}`
          : `${place} ${found}; ${issue.message}`,
      ]
    default:
      return [`${place} ${found}: ${issue.message}`]
  }
}

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  string: 'a text',
  object: 'an object',
  record: 'an object',
  tuple: 'a list of two numbers',
}

function above({ inclusive }: z.core.$ZodIssueTooSmall): string {
  return inclusive === false ? 'a number above' : 'at least'
}

function unknownSetting(path: readonly string[], key: string): string {
  const settings = { 0: ['version', 'features', 'actions'], 2: path[0] === 'features' ? ['transform'] : actionSettings }
  const known = settings[path.length as 0 | 2] as readonly string[] | undefined
  const place = [...path, key].join('.')
  return known === undefined ? `${place} is not a setting; remove it` : unknownName(place, 'a setting', key, known)
}

const actionSettings = ['worth', 'bias', 'weights'] as const

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], given)
}

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** The file of a ranking spec cannot be read. */
export class SpecFileError extends CodedError<'RANKING_SPEC_UNREADABLE'> {
  constructor(file: string, cause: Error) {
    const message = `the ranking spec ${file} cannot be read (${cause.message}); check ranking.specFile`
    super('RANKING_SPEC_UNREADABLE', rankingErrorCatalogue.RANKING_SPEC_UNREADABLE, message, { cause })
  }
}
