import { encodePartitionMeta, newPartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import { Degradation, Freshness } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { storedPosition } from '@freshet/contracts/followed-log'
import { noteNotFolded, type NotFoldedNotes, type NotFoldedReason } from '@freshet/contracts/not-folded'
import { partitionOf } from '@freshet/domain/partition'
import { describe, expect, test } from 'vitest'
import { aBlender, partitions } from './blender.harness.ts'

const own = partitionOf('ada', partitions)
const other = (own + 1) % partitions

/** A blender whose partition has folded ten records except those at some positions. */
async function afterTen(partition: number, reasons: Readonly<Record<number, NotFoldedReason>>, epoch = 0) {
  const world = await aBlender()
  let notes: NotFoldedNotes = { notFolded: [], knownFrom: 0 }
  for (const [position, reason] of Object.entries(reasons))
    notes = noteNotFolded(notes, storedPosition(epoch, Number(position)), reason)
  const meta = encodePartitionMeta({ ...newPartitionMeta, ...notes })
  const nothing = { puts: [], appends: [], deletes: [], remember: [] }
  await world.store.commit({
    scope: 'user.1',
    partition,
    from: 0,
    next: storedPosition(epoch, 10),
    meta,
    ...nothing,
  })
  return world
}

describe('A1 · a token whose event was not applied', () => {
  test.each([
    ['deadLettered', 'TOKEN_DEAD_LETTERED'],
    ['erased', 'TOKEN_ERASED'],
    ['lost', 'TOKEN_LOST'],
  ] as const)('is never CURRENT: %s gives BEHIND with %s immediately', async (reason, code) => {
    const { feed } = await afterTen(own, { 4: reason })
    const answer = await feed({ after: [`e${own}-4`] }, { timeoutMs: 300 })
    expect(answer).toMatchObject({ freshness: Freshness.BEHIND, degradation: Degradation.NONE, reasons: [code] })
    expect(answer.items.length).toBeGreaterThan(0)
    expect(await feed({ after: [`e${own}-5`] })).toMatchObject({ freshness: Freshness.CURRENT, reasons: [] })
  })

  test('is found among other tokens, and if it is not the last of its partition', async () => {
    const { feed } = await afterTen(other, { 2: 'deadLettered', 3: 'deadLettered' })
    const answer = await feed({ after: [`e${other}-9`, `e${other}-3`, `e${other}-2`] })
    expect(answer).toMatchObject({ freshness: Freshness.BEHIND, reasons: ['TOKEN_DEAD_LETTERED'] })
  })

  test('does not count as applied if the state no longer remembers', async () => {
    const { feed, store } = await aBlender()
    const meta = encodePartitionMeta({ ...newPartitionMeta, knownFrom: 6 })
    const commit = { scope: 'user.1', partition: own, puts: [], appends: [], deletes: [], remember: [] }
    await store.commit({ ...commit, from: 0, next: 10, meta })
    expect(await feed({ after: [`e${own}-5`] })).toMatchObject({
      freshness: Freshness.BEHIND,
      reasons: ['TOKEN_FORGOTTEN'],
    })
    expect((await feed({ after: [`e${own}-6`] })).freshness).toBe(Freshness.CURRENT)
  })
})
