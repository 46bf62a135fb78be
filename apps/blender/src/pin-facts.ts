import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import type { PinChange } from '@freshet/domain/pin'
import { pinKeysOf, type PinKeys } from '@freshet/domain/pin-keys'
import { createKeyTable } from '@freshet/columns/key-table'
import { createRecency } from '@freshet/columns/recency'
import { mostLabels } from './facts/label-bits.ts'
import { createPinColumns, type ReadPinColumns } from './facts/pin-columns.ts'

/** The topic from which the facts are folded. */
export const factTopic = 'pins.v1'

/**
 * The facts about pins that filters need, folded from the catalogue into columns. A pin takes about 115 bytes, and 4 to 6
 * bytes more for each word of its title and description, of which `maxWordsPerPin` are kept.
 */
export interface PinFacts extends ReadPinColumns {
  /** Folds a batch and skips records that it has folded before. */
  fold(batch: LogBatch): void
  /** The row of a pin; −1: the pin is not in the catalogue. */
  rowOf(high: number, low: number): number
  /** The row of each pin, parallel to the keys; −1: the pin is not in the catalogue. The rows of the same keys are looked up once, until a pin gets or loses its row. */
  rowsOf(keys: PinKeys): Int32Array
  /** Whether the pin was deleted. For pins deleted long ago `rowOf` gives −1. */
  isDeleted(row: number): boolean
  /** Whether it knows every pin of the catalogue that it has read, and every deletion. If not, a pin that it does not know may be one of these. */
  isComplete(): boolean
  /** Flags by locale number: 1 where the locale fits the reader, see `LocaleWords`. */
  localesFor(reader: string): Uint8Array | null
  /** Whether some pin has a locale that fits the reader, not counting pins without a locale. */
  knowsLocale(reader: string): boolean
  /** The locales of pins by number, see `LocaleWords`. */
  localeTags(): readonly (string | null)[]
  /** The bits of the safety labels that a request allows, see `labelsOf`. */
  labelBitsOf(labels: readonly string[]): number
  readonly progress: LogProgress
  stats(): PinFactsStats
  /** A message for operators about caps that were reached; null: none was. */
  full(): string | null
}

/** Number of known pins, and of pins, locales and labels beyond the caps. */
export interface PinFactsStats {
  readonly pins: number
  readonly refused: number
  readonly refusedLocales: number
  readonly refusedLabels: number
  readonly rejected: number
  readonly bytes: number
}

/** Rows as they were after so many changes. */
interface KnownRows {
  readonly changes: number
  readonly rows: Int32Array
}

/** Caps. */
export interface PinFactsOptions {
  /** Maximum number of pins, including recently deleted ones. Further pins are counted and not shown. */
  readonly maxPins: number
  /** Maximum number of locales. Pins of further locales are counted, and do not fit a request with a locale. */
  readonly maxLocales?: number
  /** Maximum number of safety labels, at most 31. No request can allow further labels. */
  readonly maxSafetyLabels?: number
  /** Maximum number of words of a pin by which a blocked word finds it, at most 255. */
  readonly maxWordsPerPin?: number
  /** Maximum number of deleted pins to remember as deleted. Older ones count as unknown. */
  readonly maxDeleted?: number
}

/** Creates empty facts. */
export function createPinFacts({
  maxPins,
  maxLocales = 2_000,
  maxSafetyLabels = mostLabels,
  maxWordsPerPin = 64,
  maxDeleted = Math.min(maxPins, 10_000),
}: PinFactsOptions): PinFacts {
  const progress = createLogProgress()
  const byKey = createKeyTable()
  const deletedLately = createRecency()
  const columns = createPinColumns({ maxLocales, maxSafetyLabels, maxWordsPerPin })
  const { locales, labels } = columns
  let capacity = 1024
  let high = new Uint32Array(capacity)
  let low = new Uint32Array(capacity)
  let deleted = new Uint8Array(capacity)
  columns.grow(capacity)
  const freeRows: number[] = []
  const rowsOfKeys = new WeakMap<PinKeys, KnownRows>()
  // Counts how often a pin got or lost its row.
  let changes = 0
  let rowLimit = 0
  let refused = 0
  let rejected = 0
  let forgotten = 0

  function grow(): void {
    capacity *= 2
    high = grown(high, capacity)
    low = grown(low, capacity)
    columns.grow(capacity)
    const flags = new Uint8Array(capacity)
    flags.set(deleted)
    deleted = flags
  }

  /** The row of a pin. Allocates a row for a new pin; −1: there is no room. */
  function intern(pinId: string): number {
    const keys = pinKeysOf([pinId])
    const [h, l] = [keys.high[0] as number, keys.low[0] as number]
    const known = byKey.get(h, l)
    if (known >= 0) return known
    if (byKey.size >= maxPins) {
      if (deletedLately.oldest < 0) {
        refused++
        return -1
      }
      free(deletedLately.oldest)
    }
    const row = freeRows.pop() ?? rowLimit++
    if (row >= capacity) grow()
    high[row] = h
    low[row] = l
    deleted[row] = 0
    byKey.set(h, l, row)
    changes++
    return row
  }

  /** Forgets a deleted pin, so that another pin can use its row. */
  function free(row: number): void {
    forgotten++
    deletedLately.remove(row)
    byKey.delete(high[row] as number, low[row] as number)
    changes++
    freeRows.push(row)
  }

  function apply(change: PinChange): void {
    const row = intern(change.kind === 'upsert' ? change.pin.pinId : change.pinId)
    if (row < 0) return
    deleted[row] = change.kind === 'delete' ? 1 : 0
    if (change.kind === 'upsert') {
      deletedLately.remove(row)
      columns.describe(row, change.pin)
      return
    }
    columns.clear(row)
    deletedLately.touch(row)
    while (deletedLately.size > maxDeleted) free(deletedLately.oldest)
  }

  return {
    fold({ topic, partition, records, next }) {
      if (topic !== factTopic) return
      const done = progress.position(topic, partition) ?? 0
      for (const { position, key, value } of records) {
        if (position < done) continue
        try {
          apply(decodePinChange(key, value))
        } catch (error) {
          if (!isContractError(error)) throw error
          rejected++
        }
      }
      progress.advance(topic, partition, next)
    },
    ...columns,
    rowOf: byKey.get,
    rowsOf(keys) {
      const known = rowsOfKeys.get(keys)
      if (known?.changes === changes) return known.rows
      const rows = new Int32Array(keys.low.length)
      for (let i = 0; i < rows.length; i++) rows[i] = byKey.get(keys.high[i] as number, keys.low[i] as number)
      rowsOfKeys.set(keys, { changes, rows })
      return rows
    },
    isDeleted: (row) => deleted[row] === 1,
    isComplete: () => refused + forgotten === 0,
    localesFor: locales.fitting,
    knowsLocale: locales.isKnown,
    labelBitsOf: labels.of,
    localeTags: () => locales.tags(),
    progress,
    stats: () => ({
      pins: byKey.size - deletedLately.size,
      refused,
      refusedLocales: locales.refused,
      refusedLabels: labels.refused,
      rejected,
      bytes: capacity * (4 + 4 + 1) + columns.bytes() + byKey.bytes() + deletedLately.bytes(),
    }),
    full() {
      const problems = [
        ...(refused > 0
          ? [`${refused} pins are not shown because there is no room for them (maxPins is ${maxPins})`]
          : []),
        ...(locales.refused > 0
          ? [`${locales.refused} pins have a locale for which there is no room (maxLocales is ${maxLocales})`]
          : []),
        ...(labels.refused > 0
          ? [
              `${labels.refused} safety labels found no room, so their pins are not shown (maxSafetyLabels is ${maxSafetyLabels})`,
            ]
          : []),
      ]
      return problems.length === 0 ? null : problems.join('; ')
    },
  }
}

function grown(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(length)
  longer.set(column)
  return longer
}
