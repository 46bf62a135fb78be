import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePartitionMeta, encodePartitionMeta, newPartitionMeta } from './codecs/partition-meta.ts'
import { moveMarks, sourceHeader, sourceOf } from './foreign-source.ts'

describe('the source of a record', () => {
  it('is read back from its header', () => {
    const read = sourceOf(sourceHeader('Vd6X-a_9RkS0', 3, 41))
    expect(read).toEqual({ partition: 'Vd6X-a_9RkS0/3', position: 41 })
    expect(sourceOf({})).toBeNull()
    expect(sourceOf({ source: 'x/1' })).toBeNull()
    expect(() => sourceHeader('a b', 0, 0)).toThrow(RangeError)
  })
})

describe('marks of sources', () => {
  it('take each record of a source once, however often its end is sent again', () => {
    const position = fc.nat({ max: 30 })
    fc.assert(
      fc.property(fc.array(fc.tuple(position, position), { maxLength: 8 }), (restarts) => {
        const marks = moveMarks(newPartitionMeta.sourceMarks)
        const taken: number[] = []
        let sent = 0
        for (const [back, count] of [...restarts, [30, 60] as const]) {
          const from = Math.max(0, sent - back)
          for (let at = from; at < from + count; at++)
            if (marks.isNew({ partition: 'a/0', position: at })) taken.push(at)
          sent = Math.max(sent, from + count)
        }
        expect(taken).toEqual(Array.from({ length: sent }, (_, at) => at))
      }),
    )
  })

  it('are bounded, forget the one that moved least recently, and change no earlier marks', () => {
    const moving = moveMarks(new Map([['old/0', 5]]))
    for (let partition = 0; partition < 1_024; partition++) moving.isNew({ partition: `a/${partition}`, position: 1 })
    expect(moving.marks().size).toBe(1_024)
    expect(moving.marks().has('old/0')).toBe(false)
    moving.isNew({ partition: 'a/0', position: 2 })
    moving.isNew({ partition: 'b/0', position: 0 })
    expect([moving.marks().has('a/0'), moving.marks().has('a/1')]).toEqual([true, false])
  })

  it('survive in the metadata of a partition in their order', () => {
    const sourceMarks = new Map([
      ['b/1', 7],
      ['a/0', 2 ** 50],
    ])
    const decoded = decodePartitionMeta(encodePartitionMeta({ ...newPartitionMeta, sourceMarks }))
    expect([...decoded.sourceMarks]).toEqual([...sourceMarks])
    expect(encodePartitionMeta(newPartitionMeta)).toEqual(
      encodePartitionMeta({ ...newPartitionMeta, sourceMarks: new Map() }),
    )
  })
})
