import type { Pin } from '@freshet/domain/pin'
import { describe, expect, it } from 'vitest'
import { plainRows } from '../plan/testing.ts'
import { unknownPage } from './page.ts'
import { createPinColumns } from './pin-columns.ts'
import { planOfText } from './testing.ts'

const plan = planOfText(`spec kept
input candidate.retrieval_score, pin.id, pin.creator, pin.topics, user.id
feature maker = hash(pin.creator, rows: 1000)
feature self = hash(pin.id, rows: 1000)
feature tags = length(pin.topics)
feature both = hash(cross(user.id, pin.creator), rows: 1000)
head click: probability = linear(candidate.retrieval_score, maker, self, tags, both)
utility = click
`)
const model = { plan, parameters: { weights: new Map(), fitted: new Map() } }

/** A pin, with the number of times that its creator was read. */
function aPin(creator: string, topics: number): { readonly pin: Pin; reads: () => number } {
  let reads = 0
  const pin = {
    topics: Array.from({ length: topics }, (_, at) => `t${at}`),
    get creatorId() {
      reads++
      return creator
    },
  }
  return { pin: pin as unknown as Pin, reads: () => reads }
}

function valuesOf(columns: ReturnType<typeof createPinColumns>, pins: readonly (Pin | null)[]) {
  const found = columns.of(unknownPage(pins.length), pins)
  return pins.map((_, row) => [...found.values()].map((column) => plainRows(column)[row]))
}

describe('columns of pins', () => {
  it('are those of nodes that read the entry of a pin and nothing else', () => {
    expect([...createPinColumns(model).nodes].sort()).toEqual(['maker', 'self', 'tags'])
    const without = planOfText(
      'spec none\ninput candidate.retrieval_score\nhead h: amount = linear(candidate.retrieval_score)',
    )
    const none = createPinColumns({ ...model, plan: without })
    expect([none.nodes.size, none.of(unknownPage(2), [null, null]).size]).toEqual([0, 0])
  })

  it('are computed once for each version of an entry, and again for one that changed', () => {
    const columns = createPinColumns(model)
    const [one, two, changed] = [aPin('ann', 1), aPin('bob', 2), aPin('cem', 3)]
    const first = valuesOf(columns, [one.pin, two.pin, one.pin])
    expect(first[0]![2]).toBe(1)
    expect(first[1]![2]).toBe(2)
    expect(first[2]![0]).toEqual(first[0]![0])
    expect([one.reads(), two.reads()]).toEqual([1, 1])
    const second = valuesOf(columns, [two.pin, changed.pin, null])
    expect(second[0]).toEqual(first[1])
    expect([second[1]![2], second[2]![2]]).toEqual([3, 0])
    expect(second[1]![0]).not.toEqual(first[0]![0])
    expect([one.reads(), two.reads(), changed.reads()]).toEqual([1, 1, 1])
  })

  it('of pins without an entry do not stay in the row of a later one', () => {
    const columns = createPinColumns(model)
    const later = aPin('ann', 2)
    valuesOf(columns, [null, null])
    expect(valuesOf(columns, [null, later.pin]).map((row) => row[2])).toEqual([0, 2])
    expect(valuesOf(columns, [later.pin, null]).map((row) => row[2])).toEqual([2, 0])
  })

  it('are all computed again when there are too many versions', () => {
    const columns = createPinColumns(model, 3)
    const pins = Array.from({ length: 3 }, (_, at) => aPin(`c${at}`, at))
    const all = pins.map(({ pin }) => pin)
    const first = valuesOf(columns, all)
    expect(valuesOf(columns, all)).toEqual(first)
    expect(valuesOf(columns, all.toReversed())).toEqual(
      first.toReversed().map((row, at) => [row[0], first[at]![1], row[2]]),
    )
    expect(pins.map(({ reads }) => reads())).toEqual([3, 3, 3])
  })
})
