import { stateScope } from '@freshet/contracts/scopes'
import { checkLog, refreshPointers } from './pointers.ts'
import type { UpdaterParts } from './updater-parts.ts'

/** Starts the tasks that an updater repeats until it stops: check the log, read the pointers, send canaries. */
export function startTasks(parts: UpdaterParts): void {
  const { generationPollMs, canaryEveryMs, logCheckMs } = parts.config.updater
  if (logCheckMs > 0) void repeat(parts, logCheckMs, checkLogAndNote)
  if (generationPollMs > 0) void repeat(parts, generationPollMs, refreshPointers)
  if (canaryEveryMs > 0) void repeat(parts, canaryEveryMs, sendCanaries)
}

async function repeat(
  parts: UpdaterParts,
  everyMs: number,
  work: (parts: UpdaterParts) => Promise<void>,
): Promise<void> {
  const { clock, ending, onError } = parts
  const reportUnlessEnding = (error: Error): void => {
    if (!ending.signal.aborted) onError(error)
  }
  while (!ending.signal.aborted) {
    await clock.sleep(everyMs, ending.signal).catch(() => undefined)
    if (!ending.signal.aborted) await work(parts).catch(reportUnlessEnding)
  }
}

async function checkLogAndNote(parts: UpdaterParts): Promise<void> {
  try {
    await checkLog(parts)
  } catch (error) {
    parts.progress.lookFailure = (error as Error).message
    throw error
  }
}

/**
 * Sends a canary to every owned partition that has ever folded a record. A partition whose state the store has lost since
 * gets one too, because the canary reveals the loss.
 */
async function sendCanaries({ onCanary, store, canary, readers, progress, ending }: UpdaterParts): Promise<void> {
  const { generations, everFolded } = progress
  const owned = readers.flatMap((reader) => reader.assigned()).filter(({ topic }) => topic === 'engagements.v1')
  const partitionsOwned = owned.map(({ partition }) => partition)
  const scopes = { user: stateScope('user', generations.user), pin: stateScope('pin', generations.pin) }
  const positions = await store.positions(scopes.user, partitionsOwned, ending).catch((error: unknown) => {
    if (!ending.signal.aborted) for (const _ of partitionsOwned) onCanary?.('user', 0, false)
    throw error
  })
  partitionsOwned.forEach((partition, row) => {
    if ((positions[row] ?? 0) > 0) everFolded.add(partition)
  })
  await canary.send(
    partitionsOwned.filter((partition) => everFolded.has(partition)),
    scopes,
    ending.signal,
  )
}
