import { headerNames, type MessageHeaders } from './headers.ts'

/** The record of another system's topic that a record of `engagements.v1` was made from. */
export interface ForeignSource {
  /** Names one partition of one topic for ever: the id of the topic and the number of the partition. */
  readonly partition: string
  /** Its position there. */
  readonly position: number
}

const form = /^([\w-]{1,64}\/\d{1,7})@(\d{1,15})$/

/** The header that carries a source. `topicId`: letters, digits, `_` and `-`, at most 64. Throws a RangeError for anything else. */
export function sourceHeader(topicId: string, partition: number, position: number): MessageHeaders {
  const value = `${topicId}/${partition}@${position}`
  if (!form.test(value)) throw new RangeError(`${value} is not a source`)
  return { [headerNames.source]: value }
}

/** The source of a record; null: it has none. */
export function sourceOf(headers: MessageHeaders): ForeignSource | null {
  const value = headers[headerNames.source]
  if (value === undefined) return null
  const [, partition, position] = form.exec(value) ?? []
  return partition === undefined ? null : { partition, position: Number(position) }
}

/** A partition of `engagements.v1` knows the marks of at most this many source partitions. */
const maxSourceMarks = 1_024

/** How far each source partition was folded into one partition of ours, by `ForeignSource.partition`. Those that moved last come last. */
export type SourceMarks = ReadonlyMap<string, number>

/** The marks while a batch is folded. */
export interface MovingMarks {
  /** Whether this is the first record of its source; if so, the mark moves to it. A source comes in the order of its positions, so a record at or below its mark is a repeat. */
  isNew(source: ForeignSource): boolean
  marks(): SourceMarks
}

/** Begins to move marks. Beyond 1,024 of them, the mark that has not moved for longest is forgotten; then only event ids tell repeats of that source. */
export function moveMarks(before: SourceMarks): MovingMarks {
  let marks: Map<string, number> | null = null
  return {
    isNew({ partition, position }) {
      const mark = (marks ?? before).get(partition)
      if (mark !== undefined && position <= mark) return false
      marks ??= new Map(before)
      marks.delete(partition)
      marks.set(partition, position)
      if (marks.size > maxSourceMarks) for (const oldest of marks.keys()) return marks.delete(oldest)
      return true
    },
    marks: () => marks ?? before,
  }
}
