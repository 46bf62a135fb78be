import { describe, expect, it } from 'vitest'
import { tableLines } from './lines.ts'
import type { Job } from './types.ts'

const zeros: Job['table'] = {
  ...{ read: 0, accepted: 0, engagements: 0, pins: 0, unchanged: 0, refused: 0, leftOut: 0, repeated: 0 },
  ...{ imported: 0, madePins: 0, applied: null, refusals: [] },
}
const names = (job: Parameters<typeof tableLines>[0]) => tableLines(job).map(({ name, count }) => [name, count])

describe('the table of an import', () => {
  it('always says what was read, accepted and refused, and only what happened of the rest', () => {
    expect(names({ dryRun: false, state: 'running', table: zeros })).toEqual([
      ['Read', 0],
      ['Accepted', 0],
      ['Refused', 0],
    ])
    const table = { ...zeros, read: 6, accepted: 3, engagements: 3, refused: 2, repeated: 1 }
    const applied = { applied: 5, duplicate: 0, deadLettered: 0, erased: 0 }
    const lines = tableLines({ dryRun: false, state: 'done', table: { ...table, applied } })
    expect(lines.map(({ name }) => name)).toEqual(['Read', 'Accepted', 'engagements', 'Refused', 'Repeated', 'Applied'])
    expect(lines.at(-1)?.note).toContain('2 of other traffic')
  })

  it('says what a check would do, and when nobody knows what was applied', () => {
    const table = { ...zeros, read: 3, engagements: 3 }
    expect(names({ dryRun: true, state: 'done', table })[1]).toEqual(['Would be accepted', 3])
    expect(tableLines({ dryRun: false, state: 'done', table }).at(-1)?.note).toContain('not known')
  })
})
