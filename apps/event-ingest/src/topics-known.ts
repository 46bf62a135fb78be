import { isContractError } from '@freshet/contracts/errors'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import type { Clock } from '@freshet/domain/clock'
import type { Component } from '@freshet/service/service'

const writtenTopics: readonly TopicName[] = ['engagements.v1', 'pins.v1', 'creators.v1', 'boards.v1', 'erasures.v1']
const retryEveryMs = 1_000

/** Reports "not ready" until the log has answered for every topic that ingest writes. After that, an absent log shows as 503 answers and not as a missing service. */
export function topicsKnown(log: EventLog, clock: Clock): Component {
  const ending = new AbortController()
  let reason: string | null = 'the log has not answered yet'
  void (async () => {
    while (!ending.signal.aborted) {
      try {
        for (const topic of writtenTopics) await log.partitionCount(topic, { signal: ending.signal })
        reason = null
        return
      } catch (error) {
        reason = isContractError(error) ? `${error.code}: ${error.message}` : (error as Error).message
        await clock.sleep(retryEveryMs, ending.signal).catch(() => undefined)
      }
    }
  })()
  return {
    name: 'topics',
    notReady: () => reason,
    close: async () => {
      ending.abort()
    },
  }
}
