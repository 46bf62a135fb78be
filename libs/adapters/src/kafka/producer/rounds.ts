import type { KafkaCluster } from '../cluster.ts'
import type { KafkaSettings } from '../options.ts'
import { firstPauseMs, longestPauseMs } from './queue.ts'
import type { PartitionQueue, Queues } from './queue.ts'
import type { Sender } from './sender.ts'

/** Decides when the producer sends. */
export interface Rounds {
  /** Starts a round once the linger time is over. */
  start(): void
}

interface Parts {
  readonly queues: Queues
  readonly sender: Sender
  /** Ends early when the producer is closed. */
  readonly pause: (ms: number) => Promise<void>
  readonly signal: AbortSignal
}

/** Rounds of sending: in each, every leader without a request in flight gets all records that wait for it. */
export function createRounds(cluster: KafkaCluster, settings: KafkaSettings, parts: Parts): Rounds {
  const { clock, lingerMs } = settings
  const { queues, sender, pause, signal } = parts
  const busyNodes = new Set<number>()
  let working = false
  let again = false
  let lingering = false
  let findingLeaders = false
  let wakesAtMs = Infinity

  /** Partitions without a leader wait for one; the others continue. */
  async function findLeaders(topics: readonly string[]): Promise<void> {
    if (findingLeaders) return
    findingLeaders = true
    await cluster.refresh(topics).catch(sender.noteProblem)
    await pause(firstPauseMs)
    findingLeaders = false
    await work()
  }

  function wakeAt(atMs: number): void {
    if (atMs >= wakesAtMs) return
    wakesAtMs = atMs
    void pause(Math.max(1, atMs - clock.now())).then(() => {
      if (wakesAtMs !== atMs) return
      wakesAtMs = Infinity
      void work()
    })
  }

  function sendTo(nodeId: number, nowMs: number): void {
    if (busyNodes.has(nodeId)) return
    const chosen = sender.collect(nodeId, nowMs)
    if (chosen.length === 0) return
    busyNodes.add(nodeId)
    void sender.send(nodeId, chosen).finally(() => {
      busyNodes.delete(nodeId)
      void work()
    })
  }

  function round(waiting: readonly PartitionQueue[]): void {
    const nodes = new Set(waiting.map(({ topic, partition }) => cluster.knownLeaders(topic)?.[partition] ?? -1))
    if (nodes.delete(-1)) void findLeaders(waiting.map(({ topic }) => topic))
    // Read the clock once to decide what to send now and when to wake; with two readings a batch could be missed by both.
    const now = clock.now()
    for (const nodeId of nodes) sendTo(nodeId, now)
    const postponed = waiting.flatMap(({ inFlight }) =>
      inFlight !== null && inFlight.notBeforeMs > now ? [inFlight.notBeforeMs] : [],
    )
    wakeAt(Math.min(Infinity, ...postponed))
  }

  /** Sends everything that can be sent; runs again by itself while something waits. */
  async function work(): Promise<void> {
    again = true
    if (working) return
    working = true
    while (again && !signal.aborted) {
      again = false
      const waiting = queues.waiting()
      if (waiting.length === 0) break
      if (await sender.identify()) round(waiting)
      else {
        await pause(longestPauseMs)
        again = true
      }
    }
    working = false
  }

  return {
    start() {
      if (lingering) return
      lingering = true
      const begin = () => {
        lingering = false
        void work()
      }
      if (lingerMs > 0) void pause(lingerMs).then(begin)
      else setImmediate(begin)
    },
  }
}
