import { decodePinEngagement } from '@freshet/contracts/codecs/onward'
import { decodePinEngagementBatch, isPinEngagementBatch } from '@freshet/contracts/codecs/pin-engagement-batch'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { positiveActions, type Engagement } from '@freshet/domain/engagement'
import type { PinAct } from '@freshet/domain/engagement'

/** One engagement on its way to the state of one key. */
export interface OnwardRow {
  readonly partition: number
  readonly position: number
  readonly index: number
  readonly key: string
  readonly act: PinAct
}

/** The rows of a record of `pin-engagements.v1`, of either form. */
export function onwardRows({ key, value }: Pick<LogRecord, 'key' | 'value'>): readonly OnwardRow[] {
  const bytes = value ?? new Uint8Array(0)
  if (!isPinEngagementBatch(bytes)) {
    const { engagement, source } = decodePinEngagement(bytes)
    return [{ ...source, key, act: pinActOf(engagement) }]
  }
  const { sourcePartition, positions, indexes, keys, acts } = decodePinEngagementBatch(bytes)
  return keys.map((rowKey, row) => ({
    partition: sourcePartition,
    position: positions[row] ?? 0,
    index: indexes[row] ?? 0,
    key: rowKey,
    act: acts[row] as PinAct,
  }))
}

/** What the state of a pin depends on, of an engagement. */
export function pinActOf({ action, occurredAtMs, userId, boardId, shown, weightThousandths }: Engagement): PinAct {
  return {
    action,
    occurredAtMs,
    userId: positiveActions.includes(action) ? userId : null,
    boardId,
    shown: { position: shown.position },
    ...(weightThousandths !== undefined && { weightThousandths }),
  }
}

/** Whether a row is what had to be sent. */
export function isRowOf(row: OnwardRow, { key, act }: Pick<OnwardRow, 'key' | 'act'>): boolean {
  return row.key === key && JSON.stringify(row.act) === JSON.stringify(act)
}
