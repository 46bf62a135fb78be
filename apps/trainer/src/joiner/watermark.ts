/** Up to when the log was read, by the time at which records were appended. Independent of how records are split into batches. */
export interface Watermark {
  /** Sets how many partitions a topic has. */
  expect(topic: string, partitions: number): void
  /** When a record arrived: its append time, but never before the records ahead of it in its partition. */
  arrive(topic: string, partition: number, appendedAtMs: number): number
  /** Everything that a partition received before this time was read. */
  lift(topic: string, partition: number, ms: number): void
  /** Everything that arrived before this time was read, in all partitions; -Infinity: some partition is not known yet. */
  now(): number
  save(): readonly (readonly [at: string, ms: number])[]
  load(saved: ReturnType<Watermark['save']>): void
}

/** A watermark before everything. */
export function createWatermark(): Watermark {
  const readTo = new Map<string, number>()
  const raise = (topic: string, partition: number, ms: number): number => {
    const at = `${topic}/${partition}`
    const raised = Math.max(readTo.get(at) ?? -Infinity, ms)
    readTo.set(at, raised)
    return raised
  }
  return {
    expect(topic, partitions) {
      for (let partition = 0; partition < partitions; partition++) raise(topic, partition, -Infinity)
    },
    arrive: raise,
    lift: (topic, partition, ms) => void raise(topic, partition, ms),
    now: () => (readTo.size === 0 ? -Infinity : Math.min(...readTo.values())),
    save: () => [...readTo].filter(([, ms]) => Number.isFinite(ms)),
    load(saved) {
      for (const [at, ms] of saved) readTo.set(at, ms)
    },
  }
}
