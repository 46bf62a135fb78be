import { epochIn, positionIn } from '@freshet/contracts/followed-log'
import type { TopicPartition } from '@freshet/contracts/ports/event-log'
import {
  badAcceptedPointer,
  familyTopic,
  firstGeneration,
  servingPointer,
  type StateFamily,
} from '@freshet/contracts/scopes'
import { isFoldedTopic } from './following.ts'
import { familyOf, folderFor, type UpdaterParts } from './updater-parts.ts'

/** Checks whether the owned partitions still belong to the log that the state follows. */
export async function checkLog(parts: UpdaterParts): Promise<void> {
  const { log, following, readers, progress, clock, ending } = parts
  const owned = readers.flatMap((reader) => reader.assigned()).filter(({ topic }) => isFoldedTopic(topic))
  if (owned.length === 0) await log.ends(familyTopic.user, ending)
  await following.look(owned)
  progress.lookedAtMs = clock.now()
}

/** Reads the pointers: which generations serve, which logs are followed, and until when bad records are accepted. */
export async function refreshPointers(parts: UpdaterParts): Promise<void> {
  const { store, following, readers, progress, ending } = parts
  progress.badAcceptedUntilMs = Number((await store.pointer(badAcceptedPointer, ending)) ?? 0)
  // After an adoption by an operator, earlier findings no longer hold.
  const adopted = await following.refresh()
  if (adopted.length > 0) await checkLog(parts)
  for (const topic of adopted) for (const reader of readers) reader.restart(topic)
  for (const family of ['user', 'pin'] as const) await refreshGeneration(parts, family)
}

async function refreshGeneration(parts: UpdaterParts, family: StateFamily): Promise<void> {
  const { log, store, erasures, progress, ending } = parts
  const serving = (await store.pointer(servingPointer(family), ending)) ?? firstGeneration
  if (serving === progress.generations[family]) return
  progress.generations[family] = serving
  const count = await log.partitionCount(familyTopic[family], ending)
  for (let partition = 0; partition < count; partition++) {
    folderFor(parts, family).drop(partition)
    if (family === 'user') erasures.doubt(partition)
  }
}

/** Where a partition's batches continue: the stored position; null: at the beginning. */
export async function startPosition(parts: UpdaterParts, { topic, partition }: TopicPartition): Promise<number | null> {
  const { erasures, following } = parts
  folderFor(parts, familyOf(topic)).drop(partition)
  if (topic === 'engagements.v1') erasures.doubt(partition)
  await refreshPointers(parts)
  const [found] = await following.look([{ topic, partition }])
  following.check({ topic, partition })
  const stored = found?.stored ?? null
  if (stored === null) return null
  // If the position is of an earlier log, the first batch adopts this one.
  return epochIn(stored) === following.of(topic).epoch ? positionIn(stored) : null
}
