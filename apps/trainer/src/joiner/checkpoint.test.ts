import { encodeSnapshot } from '@freshet/columns/snapshot'
import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { describe, expect, it } from 'vitest'
import { loadJoiner, saveJoiner, type JoinerState } from './checkpoint.ts'
import { noCounts } from './counts.ts'
import { createJoin } from './join.ts'
import { createWatermark } from './watermark.ts'

const limits = { windowMs: 100, deliveryMs: 10, lateWindowMs: 60, maxFeeds: 10, maxActions: 10 }
const unexpected = (error: Error): never => {
  throw error
}

function someState(): JoinerState {
  const join = createJoin(limits, noCounts())
  const at = { userId: 'ada', atMs: 5, arrivedMs: 6 }
  join.serve({ ...at, feedId: 'f', pinIds: ['a', 'b'] })
  join.serve({ ...at, feedId: 'g', pinIds: ['c'] })
  const act = { userId: 'ada', action: 'click', dwellMs: null, occurredAtMs: 7, arrivedMs: 8 } as const
  join.act({ ...act, feedId: 'f', pinId: 'b' }, 0)
  join.act({ ...act, feedId: 'later', pinId: 'z' }, 0)
  return {
    progress: Uint8Array.of(1, 2),
    watermark: createWatermark().save(),
    join: join.save(),
    shelf: { nextFile: 3, places: [['f', 2, 0, 9]] },
    counts: noCounts(),
    nextRows: 4,
  }
}

describe('the checkpoint of the joiner', () => {
  it('gives back what was saved', async () => {
    const artefacts = createMemoryArtefactStore()
    const state = someState()
    await saveJoiner(artefacts, state)
    expect(await loadJoiner(artefacts, unexpected)).toEqual(state)
  })

  it('reads a checkpoint of the version that kept the ids of pins', async () => {
    const artefacts = createMemoryArtefactStore()
    const { progress, join, ...rest } = someState()
    const ids: Record<string, readonly string[]> = { f: ['a', 'b'], g: ['c'] }
    const feeds = join.feeds.map(({ pinHashes: _, ...feed }) => ({ ...feed, pinIds: ids[feed.feedId] }))
    const bytes = encodeSnapshot(
      (writer) => {
        writer.u8('progress', progress)
        writer.json('state', { ...rest, join: { ...join, feeds } })
      },
      { magic: 0x46524a43, version: 1 },
    )
    await artefacts.put('trainer/joiner.checkpoint', bytes)
    expect(await loadJoiner(artefacts, unexpected)).toEqual({ progress, join, ...rest })
  })
})
