import { rowJson } from '@freshet/ranking/rows/row-json'
import { describe, expect, it } from 'vitest'
import { aTopic, aWhole } from './whole.fixture.ts'

describe('training rows of real feeds', () => {
  it('have the features, ranks and positions of the answer, and what the user did with each pin', async () => {
    const whole = await aWhole({ trainer: { joiner: { windowMs: 60_000, deliveryMs: 1_000 } } })
    try {
      await whole.pins(['a', 'b', 'c', 'd'].map((pin) => [pin, { topics: [aTopic('bread')] }]))
      await whole.act({ userId: 'bob', action: 'save', on: 'b' })
      const answer = await whole.feed({ explain: true })
      const shown = answer.items.map(({ pinId }) => pinId)
      // The blender writes its records after the answer.
      await expect.poll(() => whole.embedded.joiner!.stats()?.positions).toBe(shown.length)
      expect(shown.length).toBeGreaterThan(1)
      const [first = '', second = ''] = shown
      await whole.act(
        { action: 'impression', on: first, feedId: answer.feedId },
        { action: 'save', on: second, feedId: answer.feedId },
      )
      await whole.advance(70_000)
      await whole.embedded.joiner!.advance()
      const rows = whole.rows.flatMap((batch) =>
        Array.from({ length: batch.rows }, (_, row) => ({ ...rowJson(batch, row), isShown: batch.shown[row] === 1 })),
      )
      expect(rows.filter(({ isShown }) => isShown)).toMatchObject(
        answer.items.map(({ pinId }, position) => ({
          labels: { impression: Number(pinId === first), save: Number(pinId === second), click: 0 },
          values: {
            user: 'ada',
            pin: pinId,
            position,
            propensity: 1,
            topics: ['bread'],
            at: expect.any(Number) as number,
          },
          weight: 1,
        })),
      )
      const [batch] = whole.rows
      expect(batch!.featureNames.length).toBeGreaterThan(10)
      expect(batch!.features.some((value) => value !== 0)).toBe(true)
      const { positions, rows: written, waiting, engagements, matched, unmatched } = whole.embedded.joiner!.stats()!
      expect({ positions, written, waiting: waiting.positions }).toEqual({
        positions: shown.length,
        written: shown.length,
        waiting: 0,
      })
      // Bob's save belongs to no feed.
      expect({ engagements, matched, unknown: unmatched['feed-unknown'] }).toEqual({
        engagements: 3,
        matched: 2,
        unknown: 1,
      })
    } finally {
      await whole.stop()
    }
  })

  it('of a next page have features too, and the positions behind the first page', async () => {
    const whole = await aWhole({ trainer: { joiner: { windowMs: 60_000, deliveryMs: 1_000 } } })
    try {
      await whole.pins(Array.from({ length: 12 }, (_, n) => [`p${n}`, { topics: [aTopic('bread')] }]))
      await whole.act({ userId: 'bob', action: 'save', on: 'p3' })
      const first = await whole.feed({ pageSize: 4 })
      const second = await whole.feed({ pageSize: 4, pageToken: first.nextPageToken, explain: true })
      expect(second.stages.map(({ stage }) => stage)).toContain('next-page/rank-again')
      await expect.poll(() => whole.embedded.joiner!.stats()?.positions).toBe(8)
      const [liked = ''] = second.items.map(({ pinId }) => pinId)
      await whole.act({ action: 'save', on: liked, feedId: second.feedId })
      await whole.advance(70_000)
      await whole.embedded.joiner!.advance()
      const rows = whole.rows.flatMap((batch) =>
        Array.from({ length: batch.rows }, (_, row) => {
          const width = batch.featureNames.length
          const features = batch.features.subarray(row * width, (row + 1) * width)
          return { ...rowJson(batch, row), isShown: batch.shown[row] === 1, features, model: batch.modelVersions[row] }
        }),
      )
      const shown = rows.filter(({ isShown, values }) => isShown && Number(values.position) >= 4)
      expect(shown.map(({ values: { pin, position } }) => [pin, position])).toEqual(
        second.items.map(({ pinId, position }) => [pinId, position]),
      )
      expect(shown.map(({ labels }) => labels.save)).toEqual([1, 0, 0, 0])
      const ofFirst = rows.find(({ isShown, values }) => isShown && values.position === 0)!
      for (const { features, model } of shown) {
        expect(features.length).toBe(ofFirst.features.length)
        expect(features.length).toBeGreaterThan(10)
        expect(features.some((value) => value !== 0 && !Number.isNaN(value))).toBe(true)
        expect(model).toBe(ofFirst.model)
      }
    } finally {
      await whole.stop()
    }
  })
})
