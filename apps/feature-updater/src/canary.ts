import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { storedPosition } from '@freshet/contracts/followed-log'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { decodePinState } from '@freshet/contracts/codecs/pin-state'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import { asId, type EventId, type TopicId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { subjectStateKey } from '@freshet/domain/pin-state'

/**
 * Sends an event through the whole path and measures when it can be read. It also gives every partition of both stages a
 * record from time to time, because only a record reveals that the store lost its last commits.
 */
export interface Canary {
  /** One event per partition; resolves when all are readable, or rejects after 10 s with those that are not. */
  send(partitions: readonly number[], scopes: Record<StateFamily, string>, signal: AbortSignal): Promise<void>
}

const canaryPrefix = 'freshet-canary-'

/** Whether a key of either stage's topic is one of a canary. */
export function isCanary(key: string): boolean {
  return key.includes(canaryPrefix)
}

const pollMs = 10
const patienceMs = 10_000

/** A canary: a user that withdraws a follow of a topic that nobody follows. It is about no pin, so no feed can show it. */
export function createCanary(options: {
  readonly log: Pick<EventLog, 'append'>
  readonly store: Pick<StateStore, 'positions' | 'read'>
  readonly clock: Clock
  readonly partitions: () => number
  /** The log that user state follows. */
  readonly epoch: () => number
  /** Called for every canary, in each stage, with the time until it was seen or given up. */
  readonly onEnd: (family: StateFamily, ms: number, isSeen: boolean) => void
}): Canary {
  const { log, store, clock, onEnd } = options
  const users = new Map<number, string>()
  const topics = new Map<number, string>()
  let number = 0

  const idIn = (known: Map<number, string>, partition: number, keyOf: (id: string) => string): string => {
    for (let i = 0; !known.has(partition); i++) {
      const id = `${canaryPrefix}${i}`
      const at = partitionOf(keyOf(id), options.partitions())
      if (!known.has(at)) known.set(at, id)
    }
    return known.get(partition) ?? ''
  }

  async function until(
    seen: () => Promise<boolean>,
    family: StateFamily,
    from: number,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      while (!(await seen())) {
        if (clock.now() - from > patienceMs)
          throw new Error(`a canary was not in ${family} state after ${patienceMs} ms`)
        await clock.sleep(pollMs, signal)
      }
    } catch (error) {
      if (!signal.aborted) onEnd(family, clock.now() - from, false)
      throw error
    }
    onEnd(family, clock.now() - from, true)
  }

  /** How many events of a key the second stage has folded: the total of all actions. */
  async function countedBy(scope: string, partition: number, key: string, signal: AbortSignal): Promise<number> {
    const { values } = await store.read(scope, partition, [key], { signal })
    const bytes = values[0]
    if (bytes == null) return 0
    const { values: counts } = decodePinState(bytes).counters
    return counts.reduce((sum, value, i) => (i % 4 === 3 ? sum + value : sum), 0)
  }

  return {
    async send(partitions, scopes, signal) {
      if (partitions.length === 0) return
      const nowMs = clock.now()
      const run = `${nowMs}-${number++}`
      const sent = partitions.map((partition) => {
        const userId = idIn(users, partition, (id) => id)
        const topicId = idIn(topics, partition, (id) => subjectStateKey('topic', id))
        const value = encodeEngagement(
          {
            eventId: asId<EventId>(`canary-${partition}-${run}`),
            userId: asId<UserId>(userId),
            sessionId: null,
            action: 'unfollow',
            subject: { kind: 'topic', topicId: asId<TopicId>(topicId) },
            boardId: null,
            occurredAtMs: nowMs,
            shown: { feedId: null, position: null, surface: null },
            dwellMs: null,
          },
          nowMs,
        )
        return { partition, pinKey: subjectStateKey('topic', topicId), record: { key: userId, value, partition } }
      })
      const giveUp = (error: unknown): never => {
        if (!signal.aborted)
          for (const family of ['user', 'pin'] as const)
            for (const _ of partitions) onEnd(family, clock.now() - nowMs, false)
        throw error
      }
      const befores = await Promise.all(
        sent.map(({ partition, pinKey }) => countedBy(scopes.pin, partition, pinKey, signal)),
      ).catch(giveUp)
      const positions = await log
        .append(
          'engagements.v1',
          sent.map(({ record }) => record),
          { signal },
        )
        .catch(giveUp)
      const from = clock.now()
      const ended = await Promise.allSettled(
        sent.flatMap(({ partition, pinKey }, i) => [
          until(
            async () =>
              ((await store.positions(scopes.user, [partition], { signal }))[0] ?? 0) >
              storedPosition(options.epoch(), positions[i]?.position ?? 0),
            'user',
            from,
            signal,
          ),
          until(
            async () => (await countedBy(scopes.pin, partition, pinKey, signal)) > (befores[i] ?? 0),
            'pin',
            from,
            signal,
          ),
        ]),
      )
      const failed = ended.find((end) => end.status === 'rejected')
      if (failed !== undefined && !signal.aborted) throw failed.reason
    },
  }
}
