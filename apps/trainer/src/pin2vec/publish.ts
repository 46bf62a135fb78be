import { bytesOf } from '@freshet/contracts/bytes/columns'
import { encodeMessage } from '@freshet/contracts/bytes/wire'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { Pin2Vec } from '@freshet/embeddings/pin2vec'

/** Where to publish rows, and how many. */
export interface PublishOptions {
  readonly log: Pick<EventLog, 'append'>
  /** Only embeddings of one space can be compared. */
  readonly space: string
  readonly maxRows: number
  readonly nowMs: number
}

/**
 * Appends the changed rows to `pin-embeddings.v1` and resolves to their number. The row of a deleted pin is a record without a
 * value. If the append fails, throws the error and keeps the rows for the next time.
 */
export async function publishTouched(model: Pin2Vec, options: PublishOptions): Promise<number> {
  const { log, space, maxRows, nowMs } = options
  const modelVersion = `${model.pairs}`
  const touched = model.takeTouched(maxRows)
  if (touched.length === 0) return 0
  const records = touched.map(({ pinId, vector }): NewRecord => {
    const value =
      vector === null
        ? null
        : encodeMessage(PinEmbedding, { pinId, vector: bytesOf(vector), space, updatedAtMs: nowMs, modelVersion })
    return { key: pinId, value, partition: null }
  })
  try {
    await log.append('pin-embeddings.v1', records)
  } catch (error) {
    model.putBack(touched)
    throw error
  }
  return touched.length
}
