import { ContractError } from '@freshet/contracts/errors'
import type { FeedFilter } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { hash32 } from '@freshet/domain/hash'
import { countCharacters, idProblem, nameProblem } from '@freshet/domain/ids'

/** What a request restricts its pins to. */
export interface RequestFilter {
  /** A pin must have one of these topics, creators and boards; empty: any. */
  readonly topicIds: readonly string[]
  readonly creatorIds: readonly string[]
  readonly boardIds: readonly string[]
  /** `hash32` of the topics and creators. */
  readonly topics: ReadonlySet<number>
  readonly creators: ReadonlySet<number>
  /** A pin must have been published at this time or later, milliseconds since the epoch; null: at any time. */
  readonly createdFromMs: number | null
  readonly exclude: ReadonlySet<string>
  /** Pins that the user saw elsewhere. */
  readonly seen: ReadonlySet<string>
  readonly allowedSafetyLabels: readonly string[]
  /** The user's age in years; null: not known. */
  readonly userAge: number | null
  readonly includeOwnPins: boolean
}

/** The filter of a request that restricts nothing, of a user whose age is not known. */
const noFilter: RequestFilter = {
  topicIds: [],
  creatorIds: [],
  boardIds: [],
  topics: new Set(),
  creators: new Set(),
  createdFromMs: null,
  exclude: new Set(),
  seen: new Set(),
  allowedSafetyLabels: [],
  userAge: null,
  includeOwnPins: false,
}

const maxNames = 100
const maxPins = 10_000
const maxLabels = 100
const maxLabelCharacters = 64
const maxUserAge = 150

/** Checks the filter of a request at `atMs`. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function checkFilter(filter: FeedFilter | undefined, atMs: number): RequestFilter {
  if (filter === undefined) return noFilter
  const { maxAgeMs, userAge } = filter
  checkEach('topic_ids', filter.topicIds, { max: maxNames, problemOf: nameProblem })
  checkEach('creator_ids', filter.creatorIds, { max: maxNames, problemOf: nameProblem })
  checkEach('board_ids', filter.boardIds, { max: maxNames, problemOf: nameProblem })
  checkEach('exclude_pin_ids', filter.excludePinIds, { max: maxPins, problemOf: idProblem })
  checkEach('seen_pin_ids', filter.seenPinIds, { max: maxPins, problemOf: idProblem })
  checkEach('allowed_safety_labels', filter.allowedSafetyLabels, { max: maxLabels, problemOf: labelProblem })
  if (maxAgeMs !== undefined && !(Number.isSafeInteger(maxAgeMs) && maxAgeMs > 0))
    throw invalid('max_age_ms', `is ${maxAgeMs}; give milliseconds, more than 0, or none`)
  if (userAge !== undefined && !(Number.isInteger(userAge) && userAge >= 0 && userAge <= maxUserAge))
    throw invalid('user_age', `is ${userAge}; give years, 0–${maxUserAge}, or none`)
  return {
    topicIds: filter.topicIds,
    creatorIds: filter.creatorIds,
    boardIds: filter.boardIds,
    topics: new Set(filter.topicIds.map((id) => hash32(id))),
    creators: new Set(filter.creatorIds.map((id) => hash32(id))),
    createdFromMs: maxAgeMs === undefined ? null : atMs - maxAgeMs,
    exclude: new Set(filter.excludePinIds),
    seen: new Set(filter.seenPinIds),
    allowedSafetyLabels: filter.allowedSafetyLabels,
    userAge: userAge ?? null,
    includeOwnPins: filter.includeOwnPins,
  }
}

/** A filter of a request at `atMs` as its record keeps it: without the pins that it names, which may be thousands; undefined: there was none. */
export function recordedFilter(filter: RequestFilter, atMs: number): FeedFilter | undefined {
  if (filter === noFilter) return undefined
  const { topicIds, creatorIds, boardIds, createdFromMs, allowedSafetyLabels, userAge, includeOwnPins } = filter
  return {
    topicIds: [...topicIds],
    creatorIds: [...creatorIds],
    boardIds: [...boardIds],
    ...(createdFromMs !== null && { maxAgeMs: atMs - createdFromMs }),
    excludePinIds: [],
    seenPinIds: [],
    allowedSafetyLabels: [...allowedSafetyLabels],
    ...(userAge !== null && { userAge }),
    includeOwnPins,
  }
}

/** Whether a filter leaves out pins that the same user would get without it, because of what they are. */
export function isNarrow({ topics, creators, boardIds, createdFromMs }: RequestFilter): boolean {
  return topics.size > 0 || creators.size > 0 || boardIds.length > 0 || createdFromMs !== null
}

function checkEach(
  field: string,
  values: readonly string[],
  { max, problemOf }: { readonly max: number; readonly problemOf: (value: string) => string | null },
): void {
  if (values.length > max) throw invalid(field, `holds ${values.length} entries; at most ${max} are allowed`)
  for (const [at, value] of values.entries()) {
    const problem = problemOf(value)
    if (problem !== null) throw invalid(`${field}[${at}]`, problem)
  }
}

function labelProblem(label: string): string | null {
  if (label !== '' && countCharacters(label) <= maxLabelCharacters) return null
  return `has ${countCharacters(label)} characters; give 1–${maxLabelCharacters}`
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `filter.${field}: ${problem}`)
}
