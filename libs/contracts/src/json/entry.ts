import { maxBoardTitleCharacters, type BoardChange } from '@freshet/domain/board'
import type { CreatorChange } from '@freshet/domain/creator'
import type { BoardId, CreatorId, UserId } from '@freshet/domain/ids'
import { maxPinVersion } from '@freshet/domain/pin-version'
import { noObject, shortName, unknownField } from './engagement.ts'
import { checkOf, type FieldRule } from './field-rules.ts'
import { isJsonObject, type FieldFault } from './fields.ts'
import { createProblems, type Problems, type Refused } from './problems.ts'

/** The fields that the entries of all topics of the catalogue have. */
export const versionRule = {
  type: 'whole',
  min: 1,
  max: maxPinVersion,
  meaning:
    'Of all changes of an entry the one with the highest version counts, in any order of arrival. Once an entry has a version, changes without one are ignored, except removals',
} as const satisfies FieldRule

/** Every field of a creator in JSON. */
export const creatorRules = {
  creatorId: { type: 'name', isRequired: true, meaning: 'The creator' },
  name: { type: 'text', max: 200, meaning: 'The name that pages show' },
  imageUrl: { type: 'url', max: 2_048, meaning: "Address of the creator's picture, http or https" },
  suspended: { type: 'flag', meaning: 'true: nothing of this creator is shown, until a later change lifts this' },
  deleted: { type: 'flag', meaning: 'true: the creator is removed, and nothing of this creator is shown' },
  version: versionRule,
} as const satisfies Record<string, FieldRule>

/** Every field of a board in JSON. */
export const boardRules = {
  boardId: { type: 'name', isRequired: true, meaning: 'The board' },
  secret: { type: 'flag', meaning: 'true: the board links no pins for anybody' },
  title: { type: 'text', max: maxBoardTitleCharacters, meaning: 'The title that pages show' },
  ownerId: { type: 'id', meaning: 'The user who owns the board; an erasure of the user blanks owner and title' },
  deleted: { type: 'flag', meaning: 'true: the board is removed and links no pins any more' },
  version: versionRule,
} as const satisfies Record<string, FieldRule>

/** The result of reading an entry of the catalogue. */
export type ParsedEntry<Change> = { readonly ok: true; readonly change: Change } | Refused
export type ParsedCreator = ParsedEntry<CreatorChange>
export type ParsedBoard = ParsedEntry<BoardChange>

/** Makes the check of all fields of an object by their rules: converts no types, rejects unknown fields and reports all problems; null: there are none. */
export function fieldsCheck(
  rules: Readonly<Record<string, FieldRule>>,
): (value: Readonly<Record<string, unknown>>, at: string) => Problems | null {
  const names = Object.keys(rules)
  const known: ReadonlySet<string> = new Set(names)
  const checks = Object.entries(rules).map(([field, rule]) => [field, checkOf(rule), rule.isRequired === true] as const)
  return (value, at) => {
    let problems: Problems | null = null
    const wrong = (field: string, fault: FieldFault): void => (problems ??= createProblems(at)).add(field, fault)
    for (const field in value) if (!known.has(field)) wrong(shortName(field), unknownField(field, names))
    for (const [field, check, isRequired] of checks) {
      const given = value[field]
      if (isRequired || given !== undefined) for (const fault of check(given)) wrong(field, fault)
    }
    return problems
  }
}

const checkCreator = fieldsCheck(creatorRules)
const checkBoard = fieldsCheck(boardRules)

/** Reads a change of a creator from parsed JSON. `at` is its place in the request, e.g. `creators[3]`. */
export function parseCreatorJson(value: unknown, at: string): ParsedCreator {
  if (!isJsonObject(value)) return noObject(value, at)
  const problems = checkCreator(value, at)
  if (problems !== null) return problems.refused()
  const creatorId = value['creatorId'] as CreatorId
  const versioned = versionIn(value)
  if (value['deleted'] === true) return { ok: true, change: { kind: 'delete', creatorId, ...versioned } }
  const creator = {
    creatorId,
    name: (value['name'] ?? '') as string,
    imageUrl: (value['imageUrl'] ?? null) as string | null,
    isSuspended: value['suspended'] === true,
  }
  return { ok: true, change: { kind: 'upsert', creator, ...versioned } }
}

/** Reads a change of a board from parsed JSON. `at` is its place in the request, e.g. `boards[3]`. */
export function parseBoardJson(value: unknown, at: string): ParsedBoard {
  if (!isJsonObject(value)) return noObject(value, at)
  const problems = checkBoard(value, at)
  if (problems !== null) return problems.refused()
  const boardId = value['boardId'] as BoardId
  const versioned = versionIn(value)
  if (value['deleted'] === true) return { ok: true, change: { kind: 'delete', boardId, ...versioned } }
  const board = {
    boardId,
    isSecret: value['secret'] === true,
    title: (value['title'] ?? '') as string,
    ownerId: (value['ownerId'] ?? null) as UserId | null,
  }
  return { ok: true, change: { kind: 'upsert', board, ...versioned } }
}

/** The version of an entry whose fields are checked. */
export function versionIn({ version }: Readonly<Record<string, unknown>>): { readonly version?: number } {
  return version === undefined ? {} : { version: version as number }
}
