import type { LogBatch } from '@freshet/contracts/ports/event-log'

/**
 * Number of positions of a batch that a commit passes over without an outcome: positions without a record, which retention has
 * not deleted, and records that the stage did not count. `lost`: positions that retention deleted before they were read.
 * `counted`: records with an outcome; null: the stage counts parts of records. Topics of engagements are neither compacted nor
 * written in transactions, so each of their positions has a record. A reader that begins at position 0 may find that
 * retention has moved the beginning of the log; such a batch counts from its first record.
 */
export function unaccountedPositions(
  { from, next, records }: Pick<LogBatch, 'from' | 'next' | 'records'>,
  lost: number,
  counted: number | null = null,
): number {
  const start = from === 0 ? (records[0]?.position ?? next) : from
  const withoutRecord = next - start - lost - records.length
  const withoutOutcome = counted === null ? 0 : records.length - counted
  return Math.max(0, withoutRecord) + Math.max(0, withoutOutcome)
}
