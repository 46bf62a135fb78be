import type { StateStore } from '@freshet/contracts/ports/state-store'
import { servingPointer, stateScope } from '@freshet/contracts/scopes'
import { nowMs } from './bench.ts'

/** From when on user state could be read up to where. */
export interface Readable {
  readonly partition: number
  /** First position not yet in the state read. */
  readonly next: number
  readonly atMs: number
}

/** Reads the state store again and again, as somebody who waits for a feature would. */
export interface PositionWatch {
  start(): Promise<void>
  stop(): readonly Readable[]
}

/** Time between two looks: what is measured is late by up to this, and never early. */
export const lookEveryMs = 3

/** A watch that rests. */
export function createPositionWatch(store: StateStore, partitions: number): PositionWatch {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  let seen: Readable[] = []
  let running = false

  async function look(scope: string, last: number[]): Promise<void> {
    while (running) {
      const positions = await store.positions(scope, numbers).catch(() => [])
      const atMs = nowMs()
      positions.forEach((next, partition) => {
        if (next === null || next <= (last[partition] ?? 0)) return
        last[partition] = next
        seen.push({ partition, next, atMs })
      })
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    }
  }

  return {
    async start() {
      const generation = (await store.pointer(servingPointer('user'))) ?? '1'
      seen = []
      running = true
      void look(stateScope('user', generation), [])
    },
    stop() {
      running = false
      return seen
    },
  }
}
