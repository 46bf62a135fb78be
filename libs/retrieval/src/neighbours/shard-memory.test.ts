import { mix32 } from '@freshet/domain/hash'
import { expect, test } from 'vitest'

import { minuteMs, startMs } from '../builders.fixture.ts'
import { createNeighbourIndex } from './neighbour-index.ts'

const actions = 60_000
const pins = 500
// A slot in each of two inverted indexes, and the blocks that no list fills.
const mostBytesPerPin = 2 * 64

/** Bytes of the index of each shard after clicks of 6,000 users without a pattern. */
function bytesByShard(count: number): readonly number[] {
  const caps = {
    maxSessions: 100_000,
    maxSessionActions: 1_000_000,
    maxActionsPerSession: 200,
    maxSessionsPerPin: 1_000,
    sessionGapMs: 30 * minuteMs,
  }
  return Array.from({ length: count }, (_, at) => {
    const index = createNeighbourIndex(caps, { index: at, count })
    for (let n = 0; n < actions; n++) {
      const userId = `u${mix32(n) % 6_000}`
      index.fold({ userId, sessionId: null, pinRow: mix32(n * 3 + 1) % pins, atMs: startMs + n * minuteMs })
    }
    return index.trails.bytes() + index.sessions.bytes()
  })
}

test('a shard of n takes at most 1.3 / n of the bytes of the whole, beside what is per pin', () => {
  const whole = bytesByShard(1)[0] ?? 0
  for (const count of [2, 4, 8]) {
    for (const bytes of bytesByShard(count))
      expect(bytes).toBeLessThanOrEqual((1.3 * whole) / count + pins * mostBytesPerPin)
  }
})
