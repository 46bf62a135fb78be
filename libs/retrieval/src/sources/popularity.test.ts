import { mix32 } from '@freshet/domain/hash'
import { asId, type PinId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { anEngagement, aQuery, hourMs, onlySource, quickCaps, startMs } from '../builders.fixture.ts'

const pinIds = Array.from({ length: 40 }, (_, n) => asId<PinId>(`pin-${n}`))
const locales = [null, 'de-DE', 'fr-FR']

/** Folds the n-th event: an action, an action that is taken back, or a changed or deleted description. */
function fold(retrieval: ReturnType<typeof onlySource>, n: number, salt: number): void {
  const draw = mix32(n * 977 + salt)
  const pinId = pinIds[(draw >>> 8) % 40]!
  const createdAtMs = startMs - (n % 7) * hourMs
  const locale = locales[draw % 3] ?? null
  const save = { userId: `u${n % 5}`, pinId, boardId: 'b', atMs: startMs + n * hourMs }
  const kind = draw % 20
  if (kind === 0) retrieval.foldPin({ kind: 'delete', pinId })
  else if (kind < 5) retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId, { locale, createdAtMs }) })
  else if (kind < 8) retrieval.foldEngagement(anEngagement({ ...save, action: 'unsave' }))
  else retrieval.foldEngagement(anEngagement({ ...save, action: 'save' }))
}

test('law: the order kept between requests answers as one made for the request', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }),
      fc.nat(12),
      (salt, steps, maxListed) => {
        const kept = onlySource('popularity', { maxListed: 3 + maxListed }, {}, quickCaps)
        let n = 0
        for (const step of steps) {
          for (const end = n + step; n < end; n++) fold(kept, n, salt)
          const fresh = onlySource('popularity', { maxListed: 3 + maxListed }, {}, quickCaps)
          for (let i = 0; i < n; i++) fold(fresh, i, salt)
          for (const locale of locales) {
            const query = aQuery({ locale, exclude: pinIds.slice(0, salt % 10), limit: 15 })
            const { pinIds: found, scores } = kept.retrieve(query)
            const expected = fresh.retrieve(query)
            expect([found, scores]).toEqual([expected.pinIds, expected.scores])
          }
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('law: the head of the kept order is the beginning of the whole answer', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 20, max: 120 }), (salt, events) => {
      const head = onlySource('popularity', { maxListed: 60 }, { maxCandidates: 3 }, quickCaps)
      const whole = onlySource('popularity', { maxListed: 60 }, { maxCandidates: 300 }, quickCaps)
      for (let n = 0; n < events; n++) for (const retrieval of [head, whole]) fold(retrieval, n, salt)
      for (const locale of locales) {
        const query = aQuery({ locale, exclude: pinIds.slice(0, salt % 30), limit: 50 })
        expect(head.retrieve(query).pinIds).toEqual(whole.retrieve(query).pinIds.slice(0, 3))
      }
    }),
    { numRuns: 40 },
  )
})

test('a liked pin that moves to another locale is before the pins there that nobody likes, although nobody acts', () => {
  const retrieval = onlySource('popularity')
  const describe = (name: string, locale: string, ageHours: number): void =>
    retrieval.foldPin({
      kind: 'upsert',
      pin: aCataloguePin(name, { locale, createdAtMs: startMs - ageHours * hourMs }),
    })
  const found = (locale: string) => retrieval.retrieve(aQuery({ locale, limit: 5 })).pinIds
  describe('liked', 'de-DE', 900)
  describe('new', 'fr-FR', 1)
  const save = { userId: 'u', pinId: asId<PinId>('liked'), action: 'save' as const, boardId: 'b', atMs: startMs }
  retrieval.foldEngagement(anEngagement(save))
  expect(found('de-DE')).toEqual(['liked'])
  expect(found('fr-FR')).toEqual(['new'])
  describe('liked', 'fr-FR', 900)
  expect(found('fr-FR')).toEqual(['liked', 'new'])
  expect(found('de-DE')).toEqual([])
})
