import { scannedPinKeys, type ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import { encodePinEngagementOf } from '@freshet/contracts/codecs/onward'
import { createPinEngagementBatches } from '@freshet/contracts/codecs/pin-engagement-batch'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { NewRecord } from '@freshet/contracts/ports/event-log'

/** Forms of the records that the first stage sends to the second. */
export const onwardForms = ['batches', 'events'] as const
export type OnwardForm = (typeof onwardForms)[number]

/** Collects what one batch of the first stage sends to `pin-engagements.v1`. */
export interface Rekeyed {
  /** Adds an accepted engagement. `position`: its stored position in the source partition; positions ascend. `headers`: its trace; a record for many engagements carries that of its first traced one. */
  add(engagement: ScannedEngagement, position: number, headers?: MessageHeaders): void
  records(): readonly NewRecord[]
}

/** Begins to collect for a batch of a source partition. */
export type Rekeying = (sourcePartition: number) => Rekeyed

/** Sends records of the given form. `partitions`: how many `pin-engagements.v1` has. */
export function createRekeying(form: OnwardForm, partitions: () => number): Rekeying {
  return form === 'batches'
    ? (sourcePartition) => createPinEngagementBatches(sourcePartition, partitions())
    : singleEvents
}

/** One record for each engagement and key: what updaters before layout 1 of the batch read. */
function singleEvents(partition: number): Rekeyed {
  const records: NewRecord[] = []
  return {
    add(engagement, position, headers) {
      scannedPinKeys(engagement).forEach((key, index) => {
        const value = encodePinEngagementOf(engagement.bytes, { partition, position, index })
        records.push({ key, partition: null, value, ...(headers && { headers }) })
      })
    },
    records: () => records,
  }
}
