import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { aPlan } from './plan.builders.ts'
import { describeReport } from './rows-report.ts'
import { readRows, type ReadRowsOptions } from './rows.ts'
import { RowsError } from './rows-error.ts'
import { plainRows } from './testing.ts'

const scalar = { kind: 'scalar' } as const
const plan = aPlan({
  inputs: [
    { name: 'user', type: { kind: 'category' }, side: 'request' },
    { name: 'hour', type: scalar, side: 'request' },
    { name: 'created', type: scalar, side: 'candidate' },
    { name: 'taste', type: { kind: 'vector', size: 2 }, side: 'request' },
    { name: 'recent', type: { kind: 'sequence', of: { kind: 'category' }, max: 2 }, side: 'request' },
  ],
  nodes: [
    {
      id: 'age',
      transform: 'age',
      args: ['created', 'created'],
      params: { unit: 'hours' },
      type: scalar,
      side: 'candidate',
    },
  ],
  heads: [
    { name: 'click', kind: 'probability', label: 'click', value: 'age', lossWeight: 1, calibrate: 'none' },
    { name: 'dwell', kind: 'amount', label: 'seconds', value: 'age', lossWeight: 1, calibrate: 'none' },
  ],
})

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rows-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const line = (values: object, rest: object = { labels: { click: 1 } }): string => JSON.stringify({ values, ...rest })

async function read(lines: readonly string[], options: ReadRowsOptions = { maxLeftOut: 1 }, name = 'rows.jsonl') {
  const file = join(folder, name)
  const text = Buffer.from(lines.join('\n'))
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text)
  return readRows(plan, transformCatalogue, file, options)
}

async function errorOf(work: Promise<unknown>): Promise<RowsError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(RowsError)
  return error as RowsError
}

const good = line({ user: 'u1', hour: 9.5, created: 1_770_000_000_123, taste: [1, null], recent: ['a', 'b', 'c'] })

describe('rows', () => {
  it.each(['rows.jsonl', 'rows.jsonl.gz'])('of %s become columns; what is absent or null is missing', async (name) => {
    const other = line({ user: null }, { labels: { click: 0, seconds: 2.5 }, weight: 2 })
    const { table, report } = await read([good, '', other, ''], {}, name)
    const columns = Object.fromEntries([...table.inputs].map(([input, column]) => [input, plainRows(column)]))
    expect(columns).toEqual({
      user: ['u1', null],
      hour: [9.5, null],
      created: [1_770_000_000_123, null],
      taste: [
        [1, null],
        [null, null],
      ],
      recent: [['a', 'b'], []],
    })
    expect(Object.fromEntries(table.labels)).toEqual({
      click: Float32Array.of(1, 0),
      seconds: Float32Array.of(NaN, 2.5),
    })
    expect(table.weights).toEqual(Float32Array.of(1, 2))
    expect(report).toEqual({ read: 2, leftOut: [], unusedKeys: [], absentInputs: [] })
    expect(describeReport(report)).toBe('0 of 2 rows left out')
  })

  it('keep their groups, and their first and last time', async () => {
    const labels = { click: 1 }
    const { table } = await read([
      line({ at: 200 }, { labels, group: 'b' }),
      line({ at: 100 }, { labels }),
      line({ at: 300 }, { labels, group: 'a' }),
      line({ at: 'late' }, { labels, group: 'b' }),
      line({ at: 400 }, { labels, group: 7 }),
    ])
    expect(table.groups).toEqual(Int32Array.of(0, -1, 1, 0))
    expect(table.times).toEqual({ fromMs: 100, toMs: 300 })
    const { groups, times } = (await read([good])).table
    expect([groups, times]).toEqual([undefined, undefined])
  })

  it('of one weight have no column of weights', async () => {
    expect((await read([good])).table.weights).toBe(null)
  })

  it.each([
    ['{"values": {"hour": NaN}}', 'not JSON: NaN or Infinity'],
    ['{"values": {', 'not JSON'],
    ['[]', 'not an object'],
    ['{"values": 1, "labels": {}}', '"values" is not an object'],
    ['{"values": {}}', '"labels" is not an object'],
    [line({ hour: '9' }), '"hour" is not a number'],
    ['{"values": {"hour": 1e999}, "labels": {"click": 1}}', '"hour" is not a finite 32-bit number'],
    [line({ user: 7 }), '"user" is not a text'],
    [line({ taste: [1] }), '"taste" is not a list of 2 numbers'],
    [line({ taste: 1 }), '"taste" is not a list of numbers'],
    [line({ taste: [1, 'x'] }), '"taste" has an element that is not a number'],
    [line({ recent: 'a' }), '"recent" is not a list'],
    [line({ recent: [1] }), '"recent" has an element that is not a text'],
    [line({}, { labels: {} }), 'no label: "click", "seconds"'],
    [line({}, { labels: { click: 2 } }), 'label "click" is not 0 or 1'],
    [line({}, { labels: { click: 'yes' } }), 'label "click" is not a number'],
    [line({}, { labels: { seconds: -1 } }), 'label "seconds" is below 0'],
    [line({}, { labels: { click: 1 }, weight: 0 }), '"weight" is not a number above 0'],
  ])('leave %s out', async (bad, reason) => {
    const { table, report } = await read([good, bad, good])
    expect(report.leftOut).toEqual([{ reason, rows: 1, firstLine: 2 }])
    expect(table.rows).toBe(2)
    for (const [name, column] of table.inputs) expect(plainRows(column)[1], name).toEqual(plainRows(column)[0])
    expect(table.labels.get('click')).toEqual(Float32Array.of(1, 1))
  })

  it('say how many were left out, why, and where the first is', async () => {
    const { report } = await read([good, 'x', line({ hour: 'x' }), line({ hour: true }), good])
    expect(describeReport(report)).toBe(
      '3 of 5 rows left out: 2 × "hour" is not a number (first at line 3), 1 × not JSON (first at line 2)',
    )
  })

  it('list keys that the plan does not read, and inputs that no row has', async () => {
    const { report } = await read([line({ user: 'u', constructor: 1, other_thing: 2 })])
    expect(report.unusedKeys).toEqual(['constructor', 'other_thing'])
    expect(report.absentInputs).toEqual(['hour', 'created', 'taste', 'recent'])
  })

  it('are refused if a key is a mistyped input', async () => {
    const error = await errorOf(read([line({ user: 'u', huor: 1, recnt: [] }), line({ huor: 2 })]))
    expect(error.code).toBe('ROWS_MISMATCHED')
    expect(error.message).toMatch(
      /rows\.jsonl: "huor" is not an input of the spec; did you mean hour\?; "recnt" is not an input of the spec; did you mean recent\?$/,
    )
  })

  it('are refused if too many cannot be used, if there are none, and if none can be used', async () => {
    const corrupt = await errorOf(read([good, good, 'x'], { maxLeftOut: 0.3 }))
    expect(corrupt.code).toBe('ROWS_CORRUPT')
    expect(corrupt.message).toContain('1 of 3 rows left out: 1 × not JSON (first at line 3); at most 30 % may be')
    expect((await read([good, good, 'x'], { maxLeftOut: 0.4 })).table.rows).toBe(2)
    expect((await errorOf(read(['', '']))).code).toBe('ROWS_EMPTY')
    expect((await errorOf(read(['x']))).code).toBe('ROWS_CORRUPT')
  })

  it('are refused if the file is absent, cut or not made of lines', async () => {
    const absent = await errorOf(readRows(plan, transformCatalogue, join(folder, 'absent.jsonl')))
    expect([absent.code, absent.message]).toEqual(['ROWS_UNREADABLE', expect.stringContaining('ENOENT')])
    const cut = join(folder, 'cut.jsonl.gz')
    writeFileSync(cut, gzipSync(`${good}\n`.repeat(50_000)).subarray(0, 600))
    expect((await errorOf(readRows(plan, transformCatalogue, cut))).message).toMatch(
      /cut\.jsonl\.gz cannot be read after line \d+ \(unexpected end of file\)/,
    )
    const single = join(folder, 'single.jsonl')
    writeFileSync(single, 'x'.repeat(17_000_000))
    expect((await errorOf(readRows(plan, transformCatalogue, single))).message).toContain('line 1 is longer than 16 MB')
  })
})
