import type { Clock } from '@freshet/domain/clock'

/** What an exporter says of a batch. */
export type ExportDone = (error: Error | null) => void

/** Where finished spans wait for the exporter. */
export interface SpanQueue<FinishedSpan> {
  /** Adds a span, or counts it as dropped when the queue is full. Never waits, never throws. */
  add(span: FinishedSpan): void
  /** Sends what waits. Resolves when it has been sent, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
}

/** Options of a queue. */
export interface SpanQueueOptions<FinishedSpan> {
  /** Sends a batch. The queue never has two batches under way. */
  readonly send: (spans: readonly FinishedSpan[], done: ExportDone) => void
  /** What became of spans: sent, `dropped` because the queue was full, or `failed` because the collector did not take them. */
  readonly onSpans: (outcome: 'sent' | 'dropped' | 'failed', count: number) => void
  /** Called with the error of the first failed batch after one that was sent, and with null for the first that was sent after one that failed. */
  readonly onChange: (error: Error | null) => void
  readonly clock: Pick<Clock, 'sleep'>
  /** Default: 2,048. */
  readonly maxWaiting?: number
  /** Default: 512. */
  readonly maxBatch?: number
  /** How long spans wait for others. Default: one second. */
  readonly lingerMs?: number
}

/** Creates a queue that holds a bounded number of spans. Batches that fail are lost, so that a collector that is away costs a bounded amount of memory. */
export function createSpanQueue<FinishedSpan>(options: SpanQueueOptions<FinishedSpan>): SpanQueue<FinishedSpan> {
  const { send, onSpans, onChange, clock, maxWaiting = 2_048, maxBatch = 512, lingerMs = 1_000 } = options
  let waiting: FinishedSpan[] = []
  let working: Promise<void> | null = null
  let isFailing = false
  let hurry = new AbortController()

  const sendOne = (): Promise<void> =>
    new Promise((resolve) => {
      const batch = waiting.splice(0, maxBatch)
      const done: ExportDone = (error) => {
        onSpans(error === null ? 'sent' : 'failed', batch.length)
        if ((error !== null) !== isFailing) onChange(error)
        isFailing = error !== null
        resolve()
      }
      try {
        send(batch, done)
      } catch (error) {
        done(error instanceof Error ? error : new Error('the exporter failed', { cause: error }))
      }
    })

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      if (waiting.length < maxBatch) await clock.sleep(lingerMs, hurry.signal).catch(() => undefined)
      await sendOne()
    }
    working = null
    hurry = new AbortController()
  }

  return {
    add(span) {
      if (waiting.length >= maxWaiting) return onSpans('dropped', 1)
      waiting.push(span)
      working ??= work()
    },
    async flush(timeoutMs) {
      if (working === null) return
      hurry.abort()
      const limit = new AbortController()
      await Promise.race([working, clock.sleep(timeoutMs, limit.signal).catch(() => undefined)])
      limit.abort()
      if (waiting.length > 0) onSpans('dropped', waiting.length)
      waiting = []
    },
  }
}
