import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignPartitions } from './assignment.ts'

const partitionCounts = new Map([
  ['a', 8],
  ['b', 8],
  ['c', 3],
])
const members = fc.uniqueArray(
  fc.record({ id: fc.string({ minLength: 1 }), topics: fc.subarray([...partitionCounts.keys()]) }),
  { selector: ({ id }) => id, maxLength: 12 },
)
const count = (topic: string) => partitionCounts.get(topic) ?? 0
const assigned = (who: Parameters<typeof assignPartitions>[0]) => assignPartitions(who, count)

describe('assigning partitions', () => {
  test('each partition of a topic that somebody reads has one reader, and that one reads the topic', () => {
    fc.assert(
      fc.property(members, (who) => {
        const owners = new Map<string, string>()
        for (const [id, partitions] of assigned(who)) {
          for (const { topic, partition } of partitions) {
            expect(owners.has(`${topic}/${partition}`)).toBe(false)
            owners.set(`${topic}/${partition}`, id)
            expect(who.find((member) => member.id === id)?.topics).toContain(topic)
          }
        }
        const read = new Set(who.flatMap(({ topics }) => topics))
        expect(owners.size).toBe([...read].reduce((sum, topic) => sum + count(topic), 0))
      }),
    )
  })

  test('does not depend on the order of the members', () => {
    fc.assert(
      fc.property(members, (who) => {
        expect(new Map([...assigned([...who].reverse())].sort())).toEqual(new Map([...assigned(who)].sort()))
      }),
    )
  })

  test('members with the same topics hold the same numbers of each, and at most one more than another', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 10 }), (ids) => {
        const all = [...assigned(ids.map((id) => ({ id, topics: ['a', 'b'] }))).values()]
        for (const partitions of all) {
          const numbers = (of: string) =>
            partitions.flatMap(({ topic, partition }) => (topic === of ? [partition] : []))
          expect(numbers('a')).toEqual(numbers('b'))
        }
        const sizes = all.map((partitions) => partitions.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(2)
      }),
    )
  })
})
