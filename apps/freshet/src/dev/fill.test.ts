import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSampleMark, writeSampleMark } from './fill.ts'

describe('the mark of the sample in a data folder', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'freshet-mark-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  it('tells a start that was killed while it filled the folder from one that was not', () => {
    expect(readSampleMark(folder)).toBe('absent')
    writeSampleMark(folder, 'unfinished')
    expect(readSampleMark(folder)).toBe('unfinished')
    writeSampleMark(folder, 'complete')
    expect(readSampleMark(folder)).toBe('complete')
  })

  it('is complete where an earlier version left an empty file', () => {
    writeFileSync(join(folder, 'sample'), '')
    expect(readSampleMark(folder)).toBe('complete')
  })
})
