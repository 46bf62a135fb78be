import type {
  BatchVerdict,
  EventLog,
  GroupReaderOptions,
  LogBatch,
  LogReader,
  TopicLayout,
} from '@freshet/contracts/ports/event-log'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { aTopic, until } from './event-log.builders.ts'

/** A log under test with two handles, like two processes (the same handle twice if the log lives in one process). */
export interface EventLogFixture {
  readonly log: EventLog
  readonly other: EventLog
  /** A further handle, which the test closes and on which this topic exists. */
  open(topic: TopicLayout): Promise<EventLog>
  /** Makes the log compact a topic, if necessary by appending something; called again until it has. */
  compact(topic: string): Promise<void>
  /** Makes the log delete all records of a topic, as retention does. */
  expire(topic: TopicLayout): Promise<void>
  /** Whether records live outside this process's memory, so that a reader's memory can be measured. */
  readonly storesElsewhere: boolean
  dispose(): Promise<void>
}

/** Handles one batch of records. */
export type BatchHandler = (batch: LogBatch, signal: AbortSignal) => Promise<BatchVerdict> | BatchVerdict

/** The log under test and what its tests do with it. */
export type EventLogWorld = ReturnType<typeof createEventLogWorld>

/** Makes one fixture for all tests of the current `describe`; stops the readers of each test after it. */
export function createEventLogWorld(makeFixture: () => Promise<EventLogFixture>) {
  let fixture: EventLogFixture | null = null
  const readers: LogReader[] = []
  const started = (): EventLogFixture => {
    if (fixture === null) throw new Error('no test has begun yet: the fixture is made before the first one')
    return fixture
  }

  beforeAll(async () => {
    fixture = await makeFixture()
  })
  afterEach(async () => {
    await Promise.all(readers.splice(0).map((reader) => reader.stop()))
  })
  afterAll(() => fixture?.dispose())

  async function made(overrides: Partial<TopicLayout> = {}): Promise<string> {
    const layout = aTopic(overrides)
    await started().log.applyTopics([layout])
    return layout.name
  }

  async function view(topics: readonly string[], onBatch: BatchHandler, maxBatchRecords = 1_000): Promise<LogReader> {
    const reader = await started().log.readAll({
      topics,
      onBatch: async (batch, signal) => onBatch(batch, signal),
      maxBatchRecords,
      onError: () => undefined,
      startAt: () => null,
    })
    readers.push(reader)
    return reader
  }

  async function member(
    on: EventLog,
    options: Pick<GroupReaderOptions, 'group' | 'topics' | 'startAt'> & Partial<GroupReaderOptions>,
    onBatch: BatchHandler,
  ): Promise<LogReader> {
    const reader = await on.readGroup({
      maxBatchRecords: 1_000,
      onError: () => undefined,
      ...options,
      onBatch: async (batch, signal) => onBatch(batch, signal),
    })
    readers.push(reader)
    return reader
  }

  /** Reads everything up to the current ends. */
  async function readBack(topic: string, maxBatchRecords = 1_000): Promise<readonly LogBatch[]> {
    const batches: LogBatch[] = []
    const reader = await view([topic], (batch) => void batches.push(batch), maxBatchRecords)
    const [starts, ends] = [await started().log.starts(topic), await started().log.ends(topic)]
    await until(`${topic} to be read to its end`, () =>
      ends.every((end, partition) => end === starts[partition] || (reader.handled({ topic, partition }) ?? 0) >= end),
    )
    await reader.stop()
    return batches
  }

  return {
    get fixture(): EventLogFixture {
      return started()
    },
    get log(): EventLog {
      return started().log
    },
    /** Readers to stop after the test. */
    readers,
    made,
    view,
    member,
    readBack,
  }
}
