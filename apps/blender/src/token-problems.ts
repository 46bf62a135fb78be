import { decodePartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import type { ErrorCode } from '@freshet/contracts/errors'
import { epochIn, storedPosition } from '@freshet/contracts/followed-log'
import type { LogPosition } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { whyNotFolded, type NotFoldedReason } from '@freshet/contracts/not-folded'

/** The meta of a partition, and its position. */
export interface MetaRead {
  readonly position: number | null
  readonly meta: Uint8Array | null
}

const codes: Readonly<Record<NotFoldedReason | 'forgotten', ErrorCode>> = {
  deadLettered: 'TOKEN_DEAD_LETTERED',
  erased: 'TOKEN_ERASED',
  lost: 'TOKEN_LOST',
  forgotten: 'TOKEN_FORGOTTEN',
}

/**
 * Why the state does not reflect events although the fold has passed their positions: it reads some events without applying
 * them. Each code appears once. Throws CODEC_INVALID.
 */
export async function tokenProblems(
  events: readonly LogPosition[],
  read: (partition: number) => Promise<MetaRead>,
): Promise<readonly ErrorCode[]> {
  const byPartition = Map.groupBy(events, ({ partition }) => partition)
  const found = await Promise.all(
    [...byPartition].map(async ([partition, ofPartition]) => {
      const { position: stored, meta: bytes } = await read(partition)
      const meta = decodePartitionMeta(bytes)
      const epoch = epochIn(stored ?? 0)
      return ofPartition.map(({ position }) => whyNotFolded(meta, storedPosition(epoch, position)))
    }),
  )
  return [...new Set(found.flat().flatMap((why) => (why === null ? [] : [codes[why]])))]
}
