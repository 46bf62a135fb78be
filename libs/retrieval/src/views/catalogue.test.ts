import { aCataloguePin } from '@freshet/domain/testing'
import { asId, type PinId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { dayMs, startMs } from '../builders.fixture.ts'
import { createCatalogue } from './catalogue.ts'
import { createRecency } from '@freshet/columns/recency'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'

const names = Array.from({ length: 8 }, (_, i) => `p${i}`)
const step = fc.record({
  kind: fc.constantFrom('touch' as const, 'describe' as const, 'delete' as const),
  name: fc.constantFrom(...names),
  word: fc.nat(3),
  days: fc.constantFrom(0, 0, 1, 5),
})

/** A slow, simple model of the catalogue. */
interface Known {
  word: number | null
  atMs: number
  turn: number
}

describe('A12 · the catalogue', () => {
  it('law: it equals a simple list of pins, after adding, deleting and adding again in any order', () => {
    const caps = { maxPins: 5, maxUnlistedPins: 2, unlistedTtlMs: 3 * dayMs }
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const gone: string[] = []
        const make = () =>
          createCatalogue({ ...caps, seed: 1, spareRows: 4, onGone: (row) => gone.push(catalogue.pinIdOf(row)) })
        let catalogue = make()
        const known = new Map<string, Known>()
        let atMs = startMs
        const oldest = () =>
          [...known].filter(([, { word }]) => word === null).sort((a, b) => a[1].turn - b[1].turn)[0]?.[0]
        const letGo = (name: string | undefined) => {
          if (name !== undefined) known.delete(name)
        }
        steps.forEach(({ kind, name, word, days }, turn) => {
          const id = asId<PinId>(name)
          const before = known.get(name)
          if (kind === 'touch') {
            atMs += days * dayMs
            for (let i = 0; i < 2; i++) {
              const first = oldest()
              if (first !== undefined && atMs - known.get(first)!.atMs > caps.unlistedTtlMs) letGo(first)
            }
            const unlisted = [...known.values()].filter((each) => each.word === null).length
            if (known.get(name) === undefined && unlisted >= caps.maxUnlistedPins) letGo(oldest())
            if (known.get(name) === undefined && known.size >= caps.maxPins) letGo(oldest())
            const fits = known.get(name) !== undefined || known.size < caps.maxPins
            if (fits && known.get(name)?.word == null) known.set(name, { word: null, atMs, turn })
            expect(catalogue.intern(id, atMs) >= 0).toBe(fits)
          } else if (kind === 'describe') {
            if (before === undefined && known.size >= caps.maxPins) letGo(oldest())
            const fits = before !== undefined || known.size < caps.maxPins
            if (fits) known.set(name, { word, atMs, turn })
            const creatorId = asId<never>(`c${word}`)
            expect(catalogue.upsert(aCataloguePin(name, { creatorId, topics: [asId<never>(`t${word}`)] })) >= 0).toBe(
              fits,
            )
          } else {
            known.delete(name)
            catalogue.remove(id)
          }
          if (turn % 7 === 3) {
            const saved = encodeSnapshot((writer) => catalogue.save(writer))
            catalogue = make()
            catalogue.load(decodeSnapshot(saved))
          }
          for (const each of names) {
            const row = catalogue.rowOf(each)
            const what = known.get(each)
            expect(row >= 0, each).toBe(what !== undefined)
            if (what === undefined) continue
            expect(catalogue.pinIdOf(row)).toBe(each)
            expect(catalogue.isShown(row)).toBe(what.word !== null)
            expect(catalogue.creatorOf(row)).toBe(what.word === null ? -1 : catalogue.creatorRow(`c${what.word}`))
            expect(catalogue.topicCountOf(row)).toBe(what.word === null ? 0 : 1)
          }
          const words = new Set([...known.values()].flatMap((each) => each.word ?? []))
          for (let each = 0; each < 4; each++) expect(catalogue.creatorRow(`c${each}`) >= 0).toBe(words.has(each))
          // One row for "none", the rows of the pins, and the waiting rows.
          expect(catalogue.size).toBeLessThanOrEqual(1 + caps.maxPins + 4)
        })
        expect(gone.every((name) => names.includes(name))).toBe(true)
      }),
      { endOnFailure: true },
    )
  })

  it('a pin whose creator, topic or locale finds no room is counted, and is shown only once there is room', () => {
    const catalogue = createCatalogue({ maxPins: 9, seed: 1, maxTopics: 1, maxLocales: 1 })
    const told = (name: string, topic: string, locale: string | null = null) =>
      catalogue.upsert(aCataloguePin(name, { topics: [asId<never>(topic)], locale }))
    told('a', 'x', 'de')
    const row = told('b', 'y')
    expect(catalogue.isShown(row)).toBe(false)
    expect(catalogue.isShown(told('c', 'x', 'fr'))).toBe(false)
    expect(catalogue.counts()).toMatchObject({ listed: 1, unlisted: 2, refusedWords: 2 })
    catalogue.remove(asId<PinId>('a'))
    catalogue.remove(asId<PinId>('c'))
    expect(catalogue.isShown(told('b', 'y', 'fr'))).toBe(true)
  })

  it('new listed pins take the room of unlisted ones, never the other way round', () => {
    const catalogue = createCatalogue({ maxPins: 3, seed: 1 })
    for (const name of ['x', 'y', 'z']) catalogue.intern(asId<PinId>(name), startMs)
    for (const name of ['a', 'b']) catalogue.upsert(aCataloguePin(name))
    expect(['x', 'y', 'z', 'a', 'b'].map((name) => catalogue.rowOf(name) >= 0)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
    for (const name of ['c', 'd']) catalogue.upsert(aCataloguePin(name))
    expect(catalogue.intern(asId<PinId>('u'), startMs)).toBe(-1)
    expect(catalogue.counts()).toMatchObject({ listed: 3, unlisted: 0, refused: 2, expired: 3 })
  })
})

it('A12: law: rows come in the order in which they were last touched', () => {
  const touches = fc.array(fc.tuple(fc.nat(6), fc.boolean()), { maxLength: 60 })
  fc.assert(
    fc.property(touches, (given) => {
      const recency = createRecency()
      let order: number[] = []
      for (const [row, remove] of given) {
        order = order.filter((each) => each !== row)
        if (remove) recency.remove(row)
        else {
          order.push(row)
          recency.touch(row)
        }
        expect(recency.order()).toEqual(order)
        expect([recency.oldest, recency.size]).toEqual([order[0] ?? -1, order.length])
      }
    }),
  )
})
