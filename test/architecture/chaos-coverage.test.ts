import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { coverage } from '../chaos/coverage.ts'
import { chaosRows } from '../chaos/rows.ts'
import { sections } from '../results/sections.ts'
import { root } from './readme-tables.ts'

describe('the table of faults', () => {
  it('names rows and tests that exist, and says what is missing where it names none', () => {
    const known = chaosRows.map(({ name }) => name)
    expect(coverage.flatMap(({ rows }) => rows).filter((row) => !known.includes(row))).toEqual([])
    expect(coverage.flatMap(({ tests }) => tests).filter((file) => !existsSync(join(root, file)))).toEqual([])
    expect(coverage.filter(({ rows, tests, missing }) => rows.length + tests.length === 0 && missing === '')).toEqual(
      [],
    )
  })

  it('has rows that the results run, each in one section', () => {
    const run = sections.filter(({ script }) => script === 'chaos').flatMap(({ full }) => full[1]!.split(','))
    expect(run.toSorted()).toEqual(chaosRows.map(({ name }) => name).toSorted())
  })

  it('has every row', () => {
    const covered = new Set(coverage.flatMap(({ rows }) => rows))
    expect(chaosRows.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([])
  })
})
