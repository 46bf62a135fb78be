import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Degradation, FeedFilter, RankPinsRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { ContractError } from '@freshet/contracts/errors'
import { aBlender, anEngagement, aPin, manyPins } from '../blender.harness.ts'

async function started(config: Parameters<typeof aBlender>[0] = {}) {
  const made = await aBlender(config)
  const ranked = (request: Partial<RankPinsRequest>) =>
    made.settle(made.blender.rankPins(RankPinsRequest.fromPartial(request), { timeoutMs: 500 }))
  return { ...made, ranked }
}

describe('RankPins', () => {
  test('answers the list of the caller in the order of the ranker, without asking for candidates', async () => {
    const { ranked, services, servedFeeds } = await started()
    const answer = await ranked({ userId: 'ada', pinIds: ['pin-3', 'pin-9', 'pin-1'] })
    expect(answer.items.map(({ pinId }) => pinId)).toEqual(['pin-9', 'pin-3', 'pin-1'])
    expect(answer.items.map(({ position, utility }) => [position, utility])).toEqual([
      [0, 9],
      [1, 3],
      [2, 1],
    ])
    expect(answer).toMatchObject({ leftOut: [], degradation: Degradation.NONE, modelVersion: 'fake-1' })
    expect(services.retrieved).toEqual([])
    expect(await servedFeeds()).toEqual([])
  })

  test('filters apply, except that seen pins may be ranked; every pin left out has its reason', async () => {
    const { ranked, storeUser, tellCatalogue } = await started({ config: { showUnlistedPins: false } })
    await storeUser('ada', [
      anEngagement('closeup', 'seen'),
      anEngagement('hide', 'hidden'),
      anEngagement('report', 'reported'),
    ])
    await tellCatalogue(['seen', 'hidden', 'reported', 'german', 'gone', 'good'].map((pinId) => aPin(pinId)))
    await tellCatalogue([aPin('german', { locale: 'de' }), { kind: 'delete', pinId: 'gone' as never }])
    const pinIds = ['good', 'unknown', 'seen', 'good', 'hidden', 'reported', 'german', 'gone']
    const answer = await ranked({ userId: 'ada', locale: 'en', pinIds })
    expect(answer.items.map(({ pinId }) => pinId).sort()).toEqual(['good', 'seen'])
    expect(answer.leftOut).toEqual([
      { pinId: 'unknown', reason: 'not-in-catalogue' },
      { pinId: 'good', reason: 'duplicate' },
      { pinId: 'hidden', reason: 'hidden' },
      { pinId: 'reported', reason: 'reported' },
      { pinId: 'german', reason: 'other-locale' },
      { pinId: 'gone', reason: 'deleted' },
    ])
  })

  test('nobody can check the boards of the pins, so a request with boards gets none', async () => {
    const { ranked } = await started()
    const answer = await ranked({ pinIds: ['pin-1'], filter: FeedFilter.fromPartial({ boardIds: ['b1'] }) })
    expect(answer.items).toEqual([])
    expect(answer.leftOut).toEqual([{ pinId: 'pin-1', reason: 'board-unchecked' }])
  })

  test('without the ranker the order is that of the caller', async () => {
    const { ranked, services } = await started()
    services.rank = () => new Promise(() => {})
    const answer = await ranked({ pinIds: ['pin-3', 'pin-9', 'pin-1'] })
    expect(answer.items.map(({ pinId }) => pinId)).toEqual(['pin-3', 'pin-9', 'pin-1'])
    expect(answer).toMatchObject({ degradation: Degradation.RETRIEVAL_ORDER, modelVersion: '' })
  })

  test('without the state store the order is that of the caller too', async () => {
    const { ranked, faults } = await started()
    faults.store = () => Promise.reject(new ContractError('STORE_UNAVAILABLE', 'away'))
    const answer = await ranked({ userId: 'ada', pinIds: ['pin-3', 'pin-9', 'pin-3'] })
    expect(answer.items.map(({ pinId }) => pinId)).toEqual(['pin-3', 'pin-9'])
    expect(answer.degradation).toBe(Degradation.RETRIEVAL_ORDER)
    expect(answer.reasons).toContain('STORE_UNAVAILABLE')
    expect(answer.leftOut).toEqual([{ pinId: 'pin-3', reason: 'duplicate' }])
  })

  test('an empty list has an empty answer; a list over the limit names the field, the number and the limit', async () => {
    const { ranked } = await started()
    expect(await ranked({ pinIds: [] })).toMatchObject({ items: [], leftOut: [] })
    await expect(ranked({ pinIds: manyPins(100_000) })).rejects.toMatchObject({
      code: 'CALL_INVALID_ARGUMENT',
      message: 'pin_ids: holds 100000 entries; at most 2000 are allowed',
    })
    await expect(ranked({ pinIds: ['a', 'b c'] })).rejects.toThrow(/^pin_ids\[1\]: /)
  })

  test('items and left-out pins are together the list, whatever is in it', async () => {
    const { ranked, storeUser } = await started()
    await storeUser('ada', [anEngagement('hide', 'pin-1'), anEngagement('report', 'pin-2')])
    const lists = fc.array(
      fc.nat(8).map((n) => `pin-${n}`),
      { maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(lists, async (pinIds) => {
        const { items, leftOut } = await ranked({ userId: 'ada', pinIds })
        expect([...items, ...leftOut].map(({ pinId }) => pinId).sort()).toEqual([...pinIds].sort())
      }),
      { numRuns: 30 },
    )
  })
})
