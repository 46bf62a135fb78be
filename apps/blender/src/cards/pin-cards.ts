import { packCard, unpackCard } from '@freshet/contracts/codecs/pin-card'
import { isContractError } from '@freshet/contracts/errors'
import type { Pin } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import { createLogProgress } from '@freshet/contracts/log-progress'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { createKeyTable } from '@freshet/columns/key-table'
import { pinKeysOf } from '@freshet/domain/pin-keys'
import { factTopic } from '../pin-facts.ts'
import { createBytePages } from './byte-pages.ts'

/** What pages draw of pins, folded from the catalogue: the bytes of the records, without embeddings, in pages outside of the heap. */
export interface PinCards {
  /** Folds a batch and skips records that it has folded before. */
  fold(batch: LogBatch): void
  /** The card of a pin. Its pin id is empty. null: the catalogue does not have the pin, or there was no room for it. */
  of(pinId: string): Pin | null
  /** How many numbers most visual embeddings have; 0: none has been read. */
  embeddingWidth(): number
  stats(): PinCardsStats
  /** A message for operators about caps that were reached; null: none was. */
  full(): string | null
}

/** How many cards there are, how many found no room, and the bytes of all. */
export interface PinCardsStats {
  readonly cards: number
  readonly refused: number
  readonly bytes: number
}

/** Widths of embeddings to count at most. */
const maxWidths = 16

/** Creates empty cards. When `maxBytes` are full, further pins are counted and have no card. */
export function createPinCards({ maxBytes }: { readonly maxBytes: number }): PinCards {
  const progress = createLogProgress()
  const byKey = createKeyTable()
  const pages = createBytePages({ maxBytes })
  const freeRows: number[] = []
  const widths = new Map<number, number>()
  let rowLimit = 0
  let refused = 0

  function apply(key: string, value: Uint8Array | null): void {
    const { bytes, embeddingWidth } = packCard(value)
    const keys = pinKeysOf([key])
    const [high, low] = [keys.high[0]!, keys.low[0]!]
    const known = byKey.get(high, low)
    if (bytes === null) {
      if (known >= 0) forget(high, low, known)
      return
    }
    if (embeddingWidth > 0 && (widths.has(embeddingWidth) || widths.size < maxWidths))
      widths.set(embeddingWidth, (widths.get(embeddingWidth) ?? 0) + 1)
    const row = known >= 0 ? known : (freeRows.pop() ?? rowLimit++)
    byKey.set(high, low, row)
    if (pages.set(row, bytes)) return
    refused++
    forget(high, low, row)
  }

  function forget(high: number, low: number, row: number): void {
    pages.delete(row)
    byKey.delete(high, low)
    freeRows.push(row)
  }

  return {
    fold({ topic, partition, records, next }) {
      if (topic !== factTopic || maxBytes === 0) return
      const done = progress.position(topic, partition) ?? 0
      for (const { position, key, value } of records) {
        if (position < done) continue
        try {
          apply(key, value)
        } catch (error) {
          // The facts count records that cannot be read.
          if (!isContractError(error)) throw error
        }
      }
      progress.advance(topic, partition, next)
    },
    of(pinId) {
      const keys = pinKeysOf([pinId])
      const row = byKey.get(keys.high[0]!, keys.low[0]!)
      const bytes = row < 0 ? null : pages.get(row)
      return bytes === null ? null : unpackCard(bytes)
    },
    embeddingWidth: () => [...widths].reduce((most, each) => (each[1] > most[1] ? each : most), [0, 0])[0],
    stats: () => ({ cards: byKey.size, refused, bytes: pages.bytes() + byKey.bytes() }),
    full: () =>
      refused === 0 ? null : `${refused} pins have no card because there is no room for them (maxPinCardBytes)`,
  }
}
