import { ContractError } from '@freshet/contracts/errors'
import { Degradation, Evaluation, type GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { asId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aBlender, aFeedRequest, anEngagement, manyPins, partitions, rankedPins } from '../blender.harness.ts'
import { decodeServed } from '../served-set.ts'

type Blenders = readonly Awaited<ReturnType<typeof aBlender>>[]

const own = partitionOf('ada', partitions)
const idsOf = ({ items }: GetFeedResponse) => items.map(({ pinId }) => pinId)

/** Blenders that share a store. Each call to the store takes 0–4 ms, drawn from a seed. */
async function blendersOnOneStore(count: number, seed: number): Promise<Blenders> {
  const first = await aBlender({ pins: manyPins(400) })
  const others = Array.from({ length: count - 1 }, () => aBlender({ pins: manyPins(400), beside: first }))
  const all = [first, ...(await Promise.all(others))]
  const random = createSeededRandom(seed)
  for (const { faults, clock } of all) faults.store = () => clock.sleep(Math.floor(random.next() * 5))
  return all
}

async function servedOf({ store, clock }: Blenders[number]) {
  const { values } = await store.read('served', own, ['ada'])
  return decodeServed(values[0] ?? null, { atMs: clock.now(), windowMs: 3_600_000 })
}

const together = async (blenders: Blenders, requests: readonly { readonly at: number; readonly pageSize: number }[]) =>
  blenders[0]!.settle(
    Promise.all(
      requests.map(({ at, pageSize }) =>
        blenders[at % blenders.length]!.blender.getFeed(aFeedRequest({ pageSize }), { timeoutMs: 5_000 }),
      ),
    ),
  )

describe('a page that is claimed before the answer', () => {
  test('8 simultaneous refreshes of one user on two blenders show no pin twice, and the served set is exact', async () => {
    const blenders = await blendersOnOneStore(2, 1)
    const answers = await together(
      blenders,
      Array.from({ length: 8 }, (_, at) => ({ at, pageSize: 25 })),
    )
    expect(answers.map(({ degradation }) => degradation)).toEqual(Array(8).fill(Degradation.NONE))
    const shown = answers.flatMap(idsOf)
    expect(shown).toHaveLength(200)
    expect(new Set(shown).size).toBe(200)
    const served = await servedOf(blenders[0]!)
    expect([served.size, served.lows.length]).toEqual([200, 200])
    const conflicts = blenders.flatMap(({ records }) => records).flatMap(({ stages }) => stages)
    expect(conflicts.some(({ removed }) => (removed['taken-meanwhile'] ?? 0) > 0)).toBe(true)
  })

  test('a law: any simultaneous requests on any blenders, however slow their store: no pin twice, exposure exact', async () => {
    const wave = fc.array(fc.record({ at: fc.nat(2), pageSize: fc.integer({ min: 1, max: 30 }) }), {
      minLength: 1,
      maxLength: 6,
    })
    const law = fc.asyncProperty(
      fc.array(wave, { minLength: 1, maxLength: 2 }),
      fc.nat(1_000),
      fc.integer({ min: 2, max: 3 }),
      async (waves, seed, count) => {
        const blenders = await blendersOnOneStore(count, seed)
        const shown: string[] = []
        for (const requests of waves) shown.push(...(await together(blenders, requests)).flatMap(idsOf))
        expect(shown).toHaveLength(waves.flat().reduce((sum, { pageSize }) => sum + pageSize, 0))
        expect(new Set(shown).size).toBe(shown.length)
        expect((await servedOf(blenders[0]!)).lows).toHaveLength(shown.length)
      },
    )
    await fc.assert(law, { seed: 11, numRuns: 25 })
  })

  test('a law: one process shows no pin twice, whichever claims the store refuses, loses or does not answer', async () => {
    const law = fc.asyncProperty(
      fc.array(fc.constantFrom('answers', 'refuses', 'loses the answer', 'is silent'), { minLength: 4, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      async (fates, waves) => {
        const { settle, blender, store, faults } = await aBlender({ pins: manyPins(400) })
        const { appendIf } = store
        let calls = 0
        faults.store = (operation) => {
          if (operation !== 'append served') return Promise.resolve()
          const fate = fates[calls++ % fates.length]
          if (fate === 'refuses') return Promise.reject(new ContractError('STORE_UNAVAILABLE', 'down'))
          return fate === 'is silent' ? new Promise(() => {}) : Promise.resolve()
        }
        let answered = 0
        Object.assign(store, {
          appendIf: async (...given: Parameters<typeof appendIf>) => {
            const outcome = await appendIf(...given)
            if (fates[answered++ % fates.length] === 'loses the answer') return new Promise(() => {})
            return outcome
          },
        })
        const shown: string[] = []
        for (const count of waves) {
          const wave = Array.from({ length: count }, () =>
            blender.getFeed(aFeedRequest({ pageSize: 20 }), { timeoutMs: 1_000 }),
          )
          shown.push(...(await settle(Promise.all(wave))).flatMap(idsOf))
        }
        expect(new Set(shown).size).toBe(shown.length)
        expect(shown).toHaveLength(20 * waves.reduce((sum, count) => sum + count, 0))
      },
    )
    await fc.assert(law, { seed: 5, numRuns: 25 })
  })

  test('the answer says that more requests of the user ran at the same time than can be told apart', async () => {
    const { feed, store } = await aBlender()
    const { appendIf } = store
    Object.assign(store, {
      appendIf: async (...given: Parameters<typeof appendIf>) => {
        await store.append('served', own, 'ada', new Uint8Array(12), { maxBytes: 60_000, ttlMs: 60_000 })
        return appendIf(...given)
      },
    })
    expect(await feed()).toMatchObject({ degradation: Degradation.PARTIAL, reasons: ['FEED_CONTENDED'] })
  })
})

describe('the final page', () => {
  test('does not show a pin that was deleted or hidden while the feed was made; the next ones take their places', async () => {
    const { feed, services, storeUser, tellCatalogue } = await aBlender({ pins: manyPins(100) })
    services.rank = async (request) => {
      services.rank = rankedPins
      await tellCatalogue([{ kind: 'delete', pinId: asId('pin-99') }])
      await storeUser('ada', [anEngagement('hide', 'pin-98')])
      await feed({ pageSize: 1, evaluation: Evaluation.fromPartial({ dryRun: true }) })
      return rankedPins(request)
    }
    const answer = await feed({ pageSize: 5, explain: true })
    expect(idsOf(answer)).toEqual(['pin-97', 'pin-96', 'pin-95', 'pin-94', 'pin-93'])
    const page = answer.stages.find(({ stage }) => stage === 'page')
    expect(page?.removed['refused-meanwhile']).toBe(2)
  })
})
