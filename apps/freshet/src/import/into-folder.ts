import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { decodePartitionMeta, recordOutcomes, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import { firstGeneration, servingPointer, stateScope } from '@freshet/contracts/scopes'
import { hash64 } from '@freshet/domain/hash'
import type { TopicName } from '@freshet/contracts/topics'
import { updaterConfig, type UpdaterConfig } from '@freshet/feature-updater/config'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { createUpdater } from '@freshet/feature-updater/updater'
import { loadConfig } from '@freshet/service/config'
import { createProgress } from '@freshet/service/progress'
import { OperationError } from '../operations/errors.ts'
import { openFolder, type OpenFolder } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import type { Destination, PinOutcome } from './destination.ts'
import { scanBytes, readUserId } from './event-bytes.ts'
import { openLedger } from './ledger.ts'
import { appliedBetween, type Applied } from './tally.ts'

/** Maximum number of records in one commit. Large commits fold a long backlog faster. */
const foldRecords = 50_000
const pollMs = 20

/** The data folder of the one-process edition: appends events to its log and folds them with a feature updater in this process. */
export async function openFolderDestination(
  folder: string,
  options: {
    readonly partitions: number
    readonly terminal: Terminal
    readonly env: Readonly<Record<string, string | undefined>>
  },
): Promise<Destination> {
  const { terminal, env } = options
  const settings = loadConfig(updaterConfig, { env })
  const platform = await openFolder({ data: folder }, options.partitions)
  const { log } = platform
  const onError = (error: Error): void => void terminal.progress.write(`freshet: ${error.message}; retrying\n`)
  const config = {
    fold: settings.fold,
    updater: { ...settings.updater, canaryEveryMs: 0, maxBatchRecords: foldRecords },
  }
  const foldAll = async (): Promise<void> => {
    await foldToEnd(platform, { config, topic: 'engagements.v1', label: 'applying to users' }, onError, terminal)
    await foldToEnd(platform, { config, topic: 'pin-engagements.v1', label: 'applying to pins' }, onError, terminal)
  }
  try {
    const known = await readCatalogue(platform, onError, terminal)
    const ledger = await openLedger(platform.environment, log, { onError, signal: terminal.signal })
    // Records that wait in the log belong to other commands, so they are folded before this import counts.
    await foldAll()
    const before = await readOutcomes(platform)

    return {
      batchEvents: 20_000,
      has: (id) => ledger.has(id),
      async takePins(pins) {
        const records: NewRecord[] = []
        const outcomes = pins.map((pin): PinOutcome => {
          const parsed = parsePinJson(pin, '')
          if (!parsed.ok) return parsed.problem
          const { change } = parsed
          const key = change.kind === 'delete' ? change.pinId : change.pin.pinId
          const value = encodePinChange(change)
          const contentHash = hash64(value)
          if (known.get(key) === contentHash) return 'unchanged'
          known.set(key, contentHash)
          records.push({ key, value, partition: null })
          return 'accepted'
        })
        if (records.length > 0) await log.append('pins.v1', records, { signal: terminal.signal })
        return outcomes
      },
      missingPins: (pinIds) => Promise.resolve([...pinIds].filter((pinId) => !known.has(pinId))),
      async takeEngagements(events) {
        const records = events.map(({ value }) => ({ key: readUserId(scanBytes(value)), value, partition: null }))
        await log.append('engagements.v1', records, { signal: terminal.signal })
        await ledger.keep(
          events.map(({ id }) => id),
          await log.ends('engagements.v1', { signal: terminal.signal }),
        )
        return events.map(() => null)
      },
      async applied(): Promise<Applied> {
        await foldAll()
        return appliedBetween(before, await readOutcomes(platform))
      },
      next: `npx freshet dev --data ${folder}`,
      close: () => platform.close(),
    }
  } catch (error) {
    await platform.close()
    throw error
  }
}

/**
 * Folds one stage up to the present end of its topic. Running one stage at a time, after all events are in the log, reads and
 * writes each user and each pin once for many of its events.
 */
async function foldToEnd(
  { log, store, clock }: OpenFolder,
  { config, topic, label }: { readonly config: UpdaterConfig; readonly topic: TopicName; readonly label: string },
  onError: (error: Error) => void,
  terminal: Terminal,
): Promise<void> {
  const updater = createUpdater({ log, store, clock, config, onError })
  await updater.start([topic])
  try {
    let lag = await updater.lag()
    const total = lag
    const progress = createProgress({ label, unit: 'records', total, out: terminal.progress, nowMs: terminal.nowMs })
    while (lag > 0) {
      const halted = updater.notReady()
      if (halted !== null) throw new OperationError('EVENTS_NOT_APPLIED', halted)
      await clock.sleep(pollMs, terminal.signal)
      const now = await updater.lag()
      progress.advance(Math.max(0, lag - now))
      lag = now
    }
    if (total > 0) progress.done()
  } finally {
    await updater.stop()
  }
}

/** A hash of each catalogue entry, by pin; null: the pin was deleted. */
async function readCatalogue(
  { log }: OpenFolder,
  onError: (error: Error) => void,
  { signal }: Terminal,
): Promise<Map<string, bigint | null>> {
  const known = new Map<string, bigint | null>()
  const take = ({ key, value }: LogRecord): void => void known.set(key, value === null ? null : hash64(value))
  await readToEnd({
    log,
    topic: 'pins.v1',
    maxBatchRecords: 10_000,
    onRecords: (_partition, records) => {
      records.forEach(take)
    },
    onError,
    signal,
  })
  return known
}

/** The outcomes of all events in the first stage so far, from the metadata of its commits. */
async function readOutcomes({ log, store }: OpenFolder): Promise<Record<RecordOutcome, number>> {
  const scope = stateScope('user', (await store.pointer(servingPointer('user'))) ?? firstGeneration)
  const partitions = await log.partitionCount('engagements.v1')
  const sums = Object.fromEntries(recordOutcomes.map((outcome) => [outcome, 0])) as Record<RecordOutcome, number>
  for (let partition = 0; partition < partitions; partition++) {
    const { meta } = await store.readForFold({ ...nothingElse, scope, partition })
    const { counts } = decodePartitionMeta(meta)
    for (const outcome of recordOutcomes) sums[outcome] += counts[outcome]
  }
  return sums
}
