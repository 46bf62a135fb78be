import { isContractError } from '@freshet/contracts/errors'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'

const patienceMs = 60_000

/** Appends many records, part by part; a part that the log did not acknowledge is sent again, so that it may stand there twice. */
export async function appendAll(log: EventLog, topic: string, records: readonly NewRecord[]): Promise<void> {
  const untilMs = performance.now() + patienceMs
  for (let from = 0; from < records.length; from += 1_000) {
    const part = records.slice(from, from + 1_000)
    for (;;) {
      try {
        await log.append(topic, part)
        break
      } catch (error) {
        if (!isContractError(error, 'LOG_UNAVAILABLE') || performance.now() > untilMs) throw error
      }
    }
  }
}
