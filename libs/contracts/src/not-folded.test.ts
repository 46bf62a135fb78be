import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePartitionMeta, encodePartitionMeta, newPartitionMeta } from './codecs/partition-meta.ts'
import { maxNotFolded, noteNotFolded, notFoldedReasons, whyNotFolded, type NotFoldedNotes } from './not-folded.ts'

const nothing: NotFoldedNotes = { notFolded: [], knownFrom: 0 }

test('A1: gives the reason for every record that was not folded, or says that it was forgotten', () => {
  const passed = fc.array(fc.tuple(fc.constantFrom(null, ...notFoldedReasons), fc.integer({ min: 1, max: 3 })), {
    maxLength: 400,
  })
  fc.assert(
    fc.property(passed, (records) => {
      let notes = nothing
      let position = 0
      const reasons = new Map<number, (typeof records)[number][0]>()
      for (const [reason, step] of records) {
        position += step
        reasons.set(position, reason)
        if (reason !== null) notes = noteNotFolded(notes, position, reason)
      }
      expect(notes.notFolded.length).toBeLessThanOrEqual(maxNotFolded)
      const meta = decodePartitionMeta(encodePartitionMeta({ ...newPartitionMeta, ...notes }))
      expect(meta).toMatchObject(notes)
      for (const [at, reason] of reasons) {
        const told = whyNotFolded(meta, at)
        if (told !== 'forgotten') expect(told).toBe(reason)
        else expect(at).toBeLessThan(notes.knownFrom)
      }
    }),
  )
})

test('merges consecutive records with one reason into one stretch', () => {
  let notes = nothing
  for (let position = 5; position < 5_000; position++) notes = noteNotFolded(notes, position, 'deadLettered')
  expect(notes).toEqual({ notFolded: [{ from: 5, to: 5_000, reason: 'deadLettered' }], knownFrom: 0 })
  expect(noteNotFolded(notes, 5_000, 'lost', 100).notFolded.at(-1)).toEqual({ from: 5_000, to: 5_100, reason: 'lost' })
})
