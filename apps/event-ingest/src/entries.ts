import { parseBoardJson, parseCreatorJson, type ParsedEntry } from '@freshet/contracts/json/entry'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { Refused } from '@freshet/contracts/json/problems'
import type { Answer, Batch, Ingest } from './ingest.ts'

/** What takes the entries of the catalogue. */
export type EntryIngest = Pick<Ingest, 'takePins' | 'takeCreators' | 'takeBoards'>

/** One kind of the catalogue's entries: how HTTP names it, and how its changes are taken from JSON. */
export interface EntryKind {
  /** The name of the route and of the list in a body. */
  readonly list: 'pins' | 'creators' | 'boards'
  readonly one: string
  readonly rule: 'postPins' | 'postCreators' | 'postBoards'
  /** `refusal`: refuses an event before it is read; absent: none is. */
  take(
    ingest: EntryIngest,
    batch: Omit<Batch<unknown>, 'read'>,
    refusal?: (event: unknown) => Refused | null,
  ): Promise<Answer>
}

function entryKind<Change>(
  names: Pick<EntryKind, 'list' | 'one' | 'rule'>,
  parse: (value: unknown, at: string) => ParsedEntry<Change>,
  take: (ingest: EntryIngest, batch: Batch<ParsedEntry<Change>>) => Promise<Answer>,
): EntryKind {
  return {
    ...names,
    take: (ingest, batch, refusal = () => null) =>
      take(ingest, { ...batch, read: (event, at) => refusal(event) ?? parse(event, at) }),
  }
}

/** Every kind. Each has a route for a batch and one for lines. */
export const entryKinds: readonly EntryKind[] = [
  entryKind({ list: 'pins', one: 'pin', rule: 'postPins' }, parsePinJson, (ingest, batch) => ingest.takePins(batch)),
  entryKind({ list: 'creators', one: 'creator', rule: 'postCreators' }, parseCreatorJson, (ingest, batch) =>
    ingest.takeCreators(batch),
  ),
  entryKind({ list: 'boards', one: 'board', rule: 'postBoards' }, parseBoardJson, (ingest, batch) =>
    ingest.takeBoards(batch),
  ),
]
