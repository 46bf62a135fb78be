import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVersionMemory } from './version-memory.ts'

describe('the memory of versions', () => {
  it('tells a page of the same version from one of another, for each session', () => {
    const memory = createVersionMemory(64)
    const pages = [
      ['a', 'one', 'first'],
      ['b', 'one', 'first'],
      ['a', 'two', 'other'],
      ['b', 'one', 'same'],
      ['a', 'two', 'same'],
    ] as const
    for (const [session, version, found] of pages) expect(memory.see(session, version)).toBe(found)
  })

  it('never takes a session for another one that has the same place, and forgets instead', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 60 }), (sessions) => {
        const memory = createVersionMemory(4)
        for (const session of sessions) expect(memory.see(`s${session}`, `v${session}`)).not.toBe('other')
      }),
    )
  })
})
