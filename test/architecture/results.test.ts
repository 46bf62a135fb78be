import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { writeFigures } from '../harness/figures.ts'
import { measureSection } from '../results/measure.ts'
import { claims, figureAt, reachedRows, reachedTable } from '../results/reached.ts'
import { keepRun, readRecords, type FailedRun, type MeasuredRun } from '../results/record.ts'
import { renderResults } from '../results/render.ts'
import { sections, type Section } from '../results/sections.ts'
import { root } from './readme-tables.ts'

const records = readRecords()
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts

describe('test/RESULTS.md', () => {
  it('is what the records say (npm run results -- --render)', () => {
    expect(read('test/RESULTS.md')).toBe(renderResults(records))
  })

  it('has a section for each record, and a script for each section', () => {
    const names = sections.map(({ name }) => name)
    expect([...records.keys()].filter((name) => !names.includes(name))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
    expect(sections.filter(({ script }) => !(script in scripts))).toEqual([])
  })

  it('shows records whose rows have a cell for each column', () => {
    for (const [name, { full, small }] of records)
      for (const run of [full, small])
        for (const { key, cells } of run?.rows ?? []) expect(cells.length, `${name}: ${key}`).toBe(run?.columns.length)
  })
})

describe('figures in READMEs', () => {
  it('are those of the records in the table of the root README', () => {
    const table = /<!-- table: reached -->\n([\s\S]*?)\n<!-- \/table -->/.exec(read('README.md'))?.[1]
    expect(table).toBe(reachedTable(records))
  })

  it('come from a record, each of them', () => {
    const words = reachedRows.flatMap(([, ...cells]) => cells).map((cell) => cell.replaceAll(/\{[^{}]+\}/g, ''))
    expect(words.filter((text) => /\d/.test(text))).toEqual([])
  })

  it('stand in no other table of what is reached in the root README', () => {
    const part = read('README.md').split('## What it reaches')[1]!.split('\n## ')[0]!
    const outside = part.replace(/<!-- table: reached -->[\s\S]*?<!-- \/table -->/, '')
    expect(outside.match(/\d+(\.\d+)?/g)).toBeNull()
  })

  it.each(claims)('$file: $begins shows the figures of the records', ({ file, begins, places }) => {
    const line = read(file)
      .split('\n')
      .find((each) => each.startsWith(begins))
    expect(line, begins).toBeDefined()
    const shown = new Set(line!.replaceAll('**', '').split(/[|/ ]+/))
    const bare = (figure: string): string => figure.replace(/^0(?=\.)/, '')
    expect(
      places
        .map((place) => figureAt(records, place))
        .filter((figure) => ![...shown].some((each) => bare(each) === bare(figure))),
    ).toEqual([])
  })
})

describe('npm run results', () => {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-records-'))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const section: Section = { ...sections.find(({ name }) => name === 'simulate')!, full: ['--seeds', '3'] }

  it('keeps the figures of a run with its commit, command and load', async () => {
    const run = (await measureSection(section, 'full', () => undefined)) as MeasuredRun
    expect(run).toMatchObject({ origin: 'run', command: 'npm run simulate -- --seeds 3', problems: [] })
    expect(run.rows.find(({ key }) => key.startsWith('histories that break'))?.cells).toEqual(['0'])
    expect(run.commit).toMatch(/^[0-9a-f]{8}\+?$/)
  })

  it('keeps a failure visible, and the last figures beside it', async () => {
    const failed = (await measureSection(
      { ...section, full: ['--seeds', 'many'] },
      'full',
      () => undefined,
    )) as FailedRun
    expect(failed.problems.join('\n')).toContain('--seeds is "many"; give a number')
    expect(failed.problems.join('\n')).not.toContain(root)
    const good: MeasuredRun = {
      ...(records.get('simulate')?.small as MeasuredRun),
      columns: ['count'],
      rows: [{ key: 'a', cells: ['4711'] }],
    }
    mkdirSync(folder, { recursive: true })
    keepRun(folder, 'simulate', 'full', good)
    keepRun(folder, 'simulate', 'full', failed)
    // A small run that holds says nothing about the full one.
    keepRun(folder, 'simulate', 'small', good)
    const text = renderResults(readRecords(folder))
    expect(text).toContain('The last run FAILED')
    expect(text).toContain('give a number')
    expect(text).toContain('4711')
    keepRun(folder, 'simulate', 'full', good)
    expect(renderResults(readRecords(folder))).not.toContain('The last run FAILED')
  })

  it('refuses figures that do not fit their columns', () => {
    const table = { columns: ['a', 'b'], rows: [{ key: 'one', cells: ['1'] }], problems: [] }
    expect(() => writeFigures(join(folder, 'x.json'), table)).toThrow('another number of cells than columns: one')
  })
})
