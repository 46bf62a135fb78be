import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './group-messages.ts'

/** Another implementation of the same layouts. */
const { MemberMetadata, MemberAssignment } = createRequire(import.meta.url)(
  'kafkajs/src/consumer/assignerProtocol.js',
) as {
  MemberMetadata: { encode(metadata: object): Buffer; decode(bytes: Buffer): { topics: readonly string[] } }
  MemberAssignment: { encode(assignment: object): Buffer; decode(bytes: Buffer): { assignment: object } }
}

describe('messages between the members of a group', () => {
  test('a subscription has the same bytes as in other clients', () => {
    const topics = ['events', 'Anzeigen-ä', '']
    expect(encodeSubscription(topics)).toEqual(MemberMetadata.encode({ version: 1, topics }))
    expect(decodeSubscription(encodeSubscription(topics))).toEqual(topics)
    expect(decodeSubscription(encodeSubscription([]))).toEqual([])
  })

  test('an assignment has the same bytes as in other clients', () => {
    const partitions = [
      { topic: 'a', partition: 3 },
      { topic: 'ü', partition: 0 },
      { topic: 'a', partition: 70_000 },
    ]
    const assignment = { a: [3, 70_000], ü: [0] }
    expect(encodeAssignment(partitions)).toEqual(MemberAssignment.encode({ version: 1, assignment }))
    expect(decodeAssignment(encodeAssignment(partitions))).toEqual([partitions[0], partitions[2], partitions[1]])
  })

  test('a member with an empty assignment has no partitions', () => {
    expect(decodeAssignment(encodeAssignment([]))).toEqual([])
    expect(decodeAssignment(Buffer.alloc(0))).toEqual([])
  })
})
