import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { userInspection } from '@freshet/contracts/inspection/routes'
import type { Engagement } from '@freshet/domain/engagement'
import type { Pin } from '@freshet/domain/pin'
import { partitionOf } from '@freshet/domain/partition'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeFailure } from '../failure.ts'
import { openFolder, withOpen } from '../operations/platform.ts'
import { runUsersErase } from '../operations/erase-user.ts'
import type { Terminal } from '../operations/terminal.ts'
import { anImportWorld, someRatings, type ImportWorld } from './testing.ts'

let world: ImportWorld
beforeEach(() => {
  world = anImportWorld()
})
afterEach(() => {
  world.close()
})

const recordsOf = async (topic: string): Promise<{ key: string; value: Uint8Array | null }[]> => {
  const records: { key: string; value: Uint8Array | null }[] = []
  await withOpen(openFolder({ data: world.data }), ({ log }) =>
    readToEnd({
      log,
      topic,
      maxBatchRecords: 1000,
      onRecords: (_partition, found) => records.push(...found),
      onError: (error) => expect.unreachable(error.message),
    }),
  )
  return records
}
const engagements = async (): Promise<Engagement[]> =>
  (await recordsOf('engagements.v1'))
    .map(({ value }) => decodeEngagement(value ?? new Uint8Array(0)))
    .sort((a, b) => a.occurredAtMs - b.occurredAtMs)
const pins = async (): Promise<Pin[]> =>
  (await recordsOf('pins.v1')).flatMap(({ key, value }) => {
    const change = decodePinChange(key, value)
    return change.kind === 'upsert' ? [change.pin] : []
  })
const stateOf = (userId: string): Promise<unknown> =>
  withOpen(openFolder({ data: world.data }), (platform) =>
    userInspection(platform).answer(userId, {}, new AbortController().signal),
  )

describe('A16 · the import detects formats', () => {
  it('reads MovieLens ratings.csv and movies.csv with one command, and every event counts', async () => {
    const ratings = world.file('ratings.csv', someRatings(20, 30))
    const movies = world.file(
      'movies.csv',
      'movieId,title,genres\n1,"American President, The (1995)",Comedy|Drama\n2,Toy Story,(no genres listed)\n',
    )
    const { counts, error, output, progress } = await world.run([ratings, movies])
    expect(error).toBeNull()
    // The end of a stage breaks off reads; that is no failure.
    expect(progress).not.toContain('retrying')
    expect(counts).toMatchObject({ read: 602, engagements: 600, pins: 2, refused: 0, applied: 600, late: 0 })
    // Pins without a catalogue entry would never be shown.
    expect(counts['pins created']).toBe(28)
    expect(output).toContain('28 pins had no catalogue entry')
    expect(output).toContain('times: seconds, as always in MovieLens ratings')
    expect(output).toContain('actions: rating>=4:save, rating>=3:closeup, rating<3:dismiss (scale 0–5)')
    const catalogue = await pins()
    expect(catalogue.find(({ pinId }) => pinId === '1')).toMatchObject({
      title: 'American President, The (1995)',
      topics: ['Comedy', 'Drama'],
    })
    expect(catalogue.find(({ pinId }) => pinId === '2')?.topics).toEqual([])
    expect(catalogue).toHaveLength(30)
    expect(await stateOf('7')).toMatchObject({ userId: '7', counts: { save: { total: 9 }, closeup: { total: 6 } } })
  })

  it.each([
    ['ratings.dat', '1::10::8::1365029107\n2::11::3::1366576639\n', 'rating>=8:save', 's'],
    ['u.data', '196\t242\t3\t881250949\n186\t302\t5\t891717742\n', 'rating>=4:save', 's'],
    ['ratings.dat.gz', '1::10::8::1365029107\n2::11::3::1366576639\n', 'gzip', 's'],
  ])('reads %s', async (name, content, expected) => {
    const { counts, output, error } = await world.run(world.file(name, content))
    expect(error).toBeNull()
    expect(counts).toMatchObject({ engagements: 2, applied: 2 })
    expect(output).toContain(expected)
    expect((await engagements()).every(({ occurredAtMs }) => occurredAtMs > Date.UTC(1997, 0, 1))).toBe(true)
  })

  it('reads movies.dat in Latin-1, where quotes are plain characters', async () => {
    const file = world.file(
      'movies.dat',
      Buffer.from('1::Fantômas "A" (1913)::Crime|Drama\n2::Café::Drama\n', 'latin1'),
    )
    const { output, error } = await world.run(file)
    expect(error).toBeNull()
    expect(output).toContain('Latin-1')
    expect((await pins()).map(({ title }) => title).sort()).toEqual(['Café', 'Fantômas "A" (1913)'])
  })

  it("reads the recording of the README's example, although it is months old", async () => {
    const file = world.file(
      'my.jsonl',
      [
        '{"pin": {"pinId": "p1", "title": "Sourdough overnight", "topics": ["baking"], "creatorId": "ann"}}',
        '{"engagement": {"eventId": "e1", "userId": "u1", "action": "save", "pinId": "p1", "occurredAt": "2026-01-31T08:00:00.000Z"}}',
        '{"question": {"at": "2026-01-31T08:00:05.000Z", "userId": "u1", "target": "p2"}}',
        '{"mark": "end of January"}',
      ].join('\n'),
    )
    const { counts, error } = await world.run(file)
    expect(error).toBeNull()
    expect(counts).toMatchObject({ engagements: 1, pins: 1, skipped: 2, refused: 0, applied: 1 })
    expect((await engagements())[0]?.eventId).toBe('e1')
  })

  it('reads JSON lines in the form of the HTTP API, and reports unknown fields with their lines', async () => {
    const file = world.file(
      'events.jsonl',
      [
        '{"eventId":"a","userId":"ann","action":"save","pinId":"p1","boardId":"b1","occurredAt":"2024-05-01T10:00:00Z"}',
        '{"userId":"ann","action":"click","pinId":"p2","occurredAt":"2024-05-01T10:01:00Z","colour":"red"}',
        '{"userId":"ann","action":"click","pinId":"p3","occurredAt":"2024-05-01T10:02:00Z"}',
        'no JSON',
        '{"userId":"ann","action":"clik","pinId":"p3","occurredAt":"2024-05-01T10:02:00Z"}',
      ].join('\n'),
    )
    const { counts, output, error } = await world.run(file)
    expect(error).toMatchObject({ code: 'EVENTS_REJECTED' })
    expect(describeFailure(error).exitCode).toBe(1)
    expect(counts).toMatchObject({ engagements: 2, refused: 3, applied: 2 })
    expect(output).toMatch(
      /EVENT_FIELD_UNKNOWN colour .*events\.jsonl:2: colour is not a field of engagements; give --map 'colour=-'/,
    )
    expect(output).toMatch(/ROW_MALFORMED .*events\.jsonl:4: is not JSON/)
    expect(output).toMatch(/events\.jsonl:5: action is "clik", which is not an action/)
    const again = await world.run(file, { map: ['colour=-'] })
    expect(again.counts).toMatchObject({ engagements: 1, 'there already': 2 })
  })

  it.each([
    ['semicolons', 'user;item;ts\nann;p1;2024-05-01T10:00:00Z\n'],
    ['tabs', 'user\titem\tts\nann\tp1\t2024-05-01T10:00:00Z\n'],
    ['pipes', 'user|item|ts\nann|p1|2024-05-01T10:00:00Z\n'],
    ['CRLF and a byte order mark', '\ufeffuser,item,ts\r\nann,p1,2024-05-01T10:00:00Z\r\n'],
    ['blank lines', '\nuser,item,ts\n\nann,p1,2024-05-01T10:00:00Z\n\n\n'],
    ['no line break at the end', 'user,item,ts\nann,p1,2024-05-01T10:00:00Z'],
    ['quotes', '"user","item","ts"\n"ann","p1","2024-05-01T10:00:00Z"\n'],
  ])('reads a table with %s', async (_what, content) => {
    const { counts, error } = await world.run(world.file('events.csv', content))
    expect(error).toBeNull()
    expect(counts).toMatchObject({ read: 1, engagements: 1, applied: 1 })
    expect(await engagements()).toMatchObject([{ userId: 'ann', action: 'click', subject: { pinId: 'p1' } }])
  })

  it('reads cells with line breaks and quotes, and still reports the right lines', async () => {
    const file = world.file(
      'pins.csv',
      'item_id,title,topics\np1,"two\nlines, and a ""quote""",a|b\np 2,bad id,\np3,fine,c\n',
    )
    const { counts, output } = await world.run(file)
    expect(counts).toMatchObject({ pins: 2, refused: 1 })
    expect(output).toContain('pins.csv:4')
    expect((await pins()).find(({ pinId }) => pinId === 'p1')?.title).toBe('two\nlines, and a "quote"')
  })

  it('reads when and to whom pins are shown', async () => {
    const file = world.file(
      'pins.csv',
      'pin_id,title,created_at,expires_at,safety_labels,min_age,phash\np1,One,2024-01-01,2031-01-01,adult|blood,18,8f3a\n',
    )
    expect((await world.run(file)).counts).toMatchObject({ pins: 1, refused: 0 })
    expect(await pins()).toMatchObject([
      { safetyLabels: ['adult', 'blood'], minAge: 18, expiresAtMs: Date.UTC(2031, 0, 1), imageSignature: '8f3a' },
    ])
  })

  it('reads a table without a header if --columns names the columns', async () => {
    const file = world.file('plain.csv', 'ann,p1,1714557600\nbob,p2,1714557601\n')
    const { error, counts } = await world.run(file, { columns: 'userId, itemId, timestamp' })
    expect(error).toBeNull()
    expect(counts).toMatchObject({ engagements: 2 })
  })
})

describe('A16 · columns and rules', () => {
  it('maps columns with other names, and turns values into actions', async () => {
    const file = world.file(
      'log.csv',
      'wer,was,wann,art,gerät\nann,p1,1714557600,gesehen,phone\nann,p2,1714557601,gekauft,phone\nann,p3,1714557602,sonst,tablet\n',
    )
    const map = ['wer=userId,was=pinId,wann=occurredAt', 'art=gesehen:closeup,art=gekauft:save']
    const { output, counts, error } = await world.run(file, { map })
    expect(error).toBeNull()
    expect(counts).toMatchObject({ engagements: 2, skipped: 1 })
    expect(output).toContain('not used: gerät')
    expect((await engagements()).map(({ action }) => action)).toEqual(['closeup', 'save'])
  })

  it("knows other products' names of actions", async () => {
    const file = world.file(
      'events.csv',
      'timestamp,visitorid,event,itemid\n1433221332117,257597,view,355908\n1433224214164,992329,addtocart,248676\n1433221999827,111016,transaction,318965\n',
    )
    const { error, output } = await world.run(file)
    expect(error).toBeNull()
    expect(output).toContain(
      'times: milliseconds (1433221332117 is 2015-06-02T05:02:12.117Z); --time-unit changes this',
    )
    expect((await engagements()).map(({ action }) => action)).toEqual(['closeup', 'save', 'click'])
  })

  it('refuses ratings beyond the detected scale, with their lines', async () => {
    const rows = Array.from({ length: 6000 }, (_, at) => `u${at},p1,${1 + (at % 5)},${1_500_000_000 + at}`)
    rows[5500] = 'u5500,p1,9,1500005500'
    const { output, counts } = await world.run(world.file('r.csv', `user,item,rating,ts\n${rows.join('\n')}\n`))
    expect(counts).toMatchObject({ engagements: 5999, refused: 1 })
    expect(output).toContain('r.csv:5502: rating is "9"; the scale ends at 5; give rules with --map to change this')
  })

  it.each([
    [
      'an unknown column',
      { map: ['usr=userId'] },
      /names the column "usr", which does not exist; did you mean "user"\?/,
    ],
    ['an unknown field', { map: ['user=userld'] }, /no field "userld"; did you mean userId\?/],
    ['an unknown action', { map: ['item=x:sav'] }, /there is no action sav; did you mean save\?/],
    ['a rule without a number', { map: ['rating>=:save'] }, /compares numbers/],
    ['a text that is neither a mapping nor a rule', { map: ['rating'] }, /give column=field, column=- or a rule/],
    ['an unknown kind', { as: 'events' }, /--as is events; give engagements or pins/],
    ['an unknown unit', { timeUnit: 'minutes' }, /--time-unit is minutes; give s, ms, us, iso/],
  ])('refuses %s with its name', async (_what, given, message) => {
    const { error } = await world.run(world.file('e.csv', 'user,item,ts\nann,p1,1714557600\n'), given)
    expect(error).toMatchObject({ code: 'IMPORT_INVALID' })
    expect(error?.message).toMatch(message)
    expect(describeFailure(error).exitCode).toBe(78)
  })

  it.each([
    ['4,5', 'decimal commas', /contains "4,5", which is not a number \(the decimal separator is a point\)/],
    ['good', 'words', /contains "good", which is not a number .*--map 'rating=good:save'/],
    ['-3', 'negative numbers', /is not a known scale of ratings .*give rules/],
    ['700', 'large numbers', /is not a known scale of ratings .*give rules/],
  ])('asks for rules if ratings are %s', async (cell, _what, message) => {
    const file = world.file('e.csv', `user;item;rating;ts\nann;p1;${cell};1714557600\n`)
    expect((await world.run(file)).error?.message).toMatch(message)
    expect((await world.run(file, { map: [`rating=${cell.replace(',', '')}:save,*:closeup`] })).error).toBeNull()
  })

  it('suggests a column whose name resembles a missing one', async () => {
    const { error } = await world.run(world.file('e.csv', 'usre_id,other,item,ts\nann,bob,p1,1714557600\n'), {
      as: 'engagements',
    })
    expect(error?.message).toMatch(/no column is the user; is it "usre_id"\? Give --map usre_id=userId/)
  })
})

describe('A16 · the import always reports how it reads times', () => {
  it.each([
    ['seconds', '1714557600', 'seconds (1714557600 is 2024-05-01T10:00:00.000Z)'],
    ['milliseconds', '1714557600000', 'milliseconds (1714557600000 is 2024-05-01T10:00:00.000Z)'],
    ['microseconds', '1714557600000000', 'microseconds'],
    ['ISO 8601', '2024-05-01T10:00:00Z', 'ISO 8601'],
    ['ISO 8601 without a zone', '2024-05-01 10:00:00', 'read as UTC'],
    ['an offset', '2024-05-01T12:00:00+02:00', 'ISO 8601'],
    ['BigQuery', '2024-05-01 10:00:00 UTC', 'ISO 8601'],
  ])('reports that times are %s', async (_what, cell, expected) => {
    const { output, error } = await world.run(world.file('e.csv', `user,item,ts\nann,p1,${cell}\n`))
    expect(error).toBeNull()
    expect(output).toContain(expected)
    expect((await engagements())[0]?.occurredAtMs).toBe(Date.UTC(2024, 4, 1, 10))
  })

  it('asks for the unit if it is unclear, and uses the given one', async () => {
    const file = world.file('e.csv', 'user,item,ts\nann,p1,86400\n')
    const { error } = await world.run(file)
    expect(error?.message).toMatch(/the column ts contains "86400", whose unit is unclear; give --time-unit/)
    expect((await world.run(file, { timeUnit: 's' })).error).toBeNull()
    expect((await engagements())[0]?.occurredAtMs).toBe(86_400_000)
  })

  it('reports how to write dates if they have another form', async () => {
    const { error } = await world.run(world.file('e.csv', 'user,item,date\nann,p1,31/01/2024\n'))
    expect(error?.message).toMatch(/write dates as 2024-01-31 or 2024-01-31T12:00:00Z, not as 31\/01\/2024/)
  })

  it('asks for a time if no column has one', async () => {
    const file = world.file('e.csv', 'user,item,rating\nann,p1,5\n')
    expect((await world.run(file)).error?.message).toMatch(
      /no column is the time; give --map COLUMN=occurredAt, or --occurred-at/,
    )
    expect((await world.run(file, { occurredAt: '2024-05-01T10:00:00Z' })).error).toBeNull()
  })

  it('refuses times of another unit further down, and times in the future', async () => {
    const file = world.file('e.csv', 'user,item,ts\nann,p1,1714557600\nann,p2,soon\nann,p3,4102444800\nann,p4,\n')
    const { output, counts } = await world.run(file, { timeUnit: 's' })
    expect(counts).toMatchObject({ engagements: 1, refused: 3 })
    expect(output).toMatch(/EVENT_TIME_INVALID ts +2 +\S+e\.csv:3, \S+e\.csv:5: ts is "soon"; times are read as s/)
    expect(output).toMatch(/EVENT_TIME_FUTURE occurredAt +1 +\S+e\.csv:4/)
  })
})

describe('A16 · unusable files', () => {
  it.each([
    ['an empty file', 'e.csv', '', /is empty/],
    ['blank lines', 'e.csv', '\n\n', /contains only blank lines/],
    ['a header alone', 'e.csv', 'user,item,ts\n', /contains a header but no rows/],
    ['binary junk', 'e.csv', Buffer.from([1, 2, 0, 3, 255]), /is not a text file: byte 3 is zero/],
    ['a zip archive', 'e.zip', Buffer.from('PK\x03\x04rest'), /is a zip archive/],
    ['UTF-16', 'e.csv', Buffer.from('\ufeffuser', 'utf16le'), /is UTF-16; save it as UTF-8/],
    [
      'Latin-1',
      'e.csv',
      Buffer.from('user,item,ts\nJosé,p1,1714557600\n', 'latin1'),
      /is not UTF-8; save it as UTF-8, or give --encoding latin1/,
    ],
    ['a JSON array', 'e.json', '[{"userId":"ann"}]', /is a JSON array; write one object per line/],
    ['JSON over several lines', 'e.json', '{\n"userId":"ann"\n}', /its objects span several lines/],
    ['one column', 'e.csv', 'user\nann\n', /one column; give --delimiter/],
    ['no header', 'e.csv', '1,2,3,4\n5,6,7,8\n', /it does not name columns; give --columns/],
    ['the same column twice', 'e.csv', 'user,user,item\n1,2,3\n', /names the column "user" twice/],
    ['pins with ids alone', 'links.csv', 'movieId,imdbId\n1,2\n', /contains only ids of pins/],
    [
      'a quote that never closes',
      'e.csv',
      'user,item,ts\nann,p1,1714557600\nann,"p2,1714557601\n',
      /e\.csv:3: a quote opens after this line and never closes; close it, or give --quote none/,
    ],
  ])('reports the problem of %s', async (_what, name, content, message) => {
    const { error } = await world.run(world.file(name, content))
    expect(error).toMatchObject({ code: 'IMPORT_INVALID' })
    expect(error?.message).toMatch(message)
  })

  it('reports the problem of a folder, a missing file and a truncated file', async () => {
    mkdirSync(join(world.folder, 'ml'))
    world.file('ml/ratings.csv', 'x')
    expect((await world.run(join(world.folder, 'ml'))).error?.message).toMatch(
      /is a folder; give files in it, such as .*ml\/ratings\.csv/,
    )
    expect((await world.run(join(world.folder, 'none.csv'))).error?.message).toMatch(/does not exist/)
    const cut = world.file('cut.csv.gz', someRatings(100, 200))
    const { readFileSync, writeFileSync } = await import('node:fs')
    writeFileSync(cut, readFileSync(cut).subarray(0, 20_000))
    expect((await world.run(cut)).error?.message).toMatch(/is not gzip, or is cut off/)
  })

  it('refuses a line that no memory would hold, however small the file is', async () => {
    const line = '{"userId":"ann","pinId":"p1","action":"click","occurredAt":"2024-05-01T10:00:00Z"}\n'
    const bomb = world.file('bomb.jsonl.gz', `${line}${' '.repeat(17 << 20)}\n`)
    expect((await world.run(bomb)).error).toMatchObject({
      code: 'IMPORT_INVALID',
      message: expect.stringMatching(/has a line of more than 16 MiB/) as string,
    })
  })

  it('refuses rows of the wrong length with their lines, and continues', async () => {
    const file = world.file(
      'e.csv',
      'user,item,ts\nann,p1,1714557600\nann,p2\nann,p3,1714557602,x,y\nbob,p4,1714557603\n',
    )
    const { counts, output } = await world.run(file)
    expect(counts).toMatchObject({ read: 4, engagements: 2, refused: 2, applied: 2 })
    expect(output).toMatch(/ROW_MALFORMED +2 +\S+e\.csv:3, \S+e\.csv:4: has 2 columns; there are 3/)
  })
})

describe('A16 · a second import changes nothing', () => {
  it('counts every event once: in a second run, in another order, split in two files, with other rules, and with repeated rows', async () => {
    const rows = someRatings(10, 20).trim().split('\n')
    const [header = '', ...body] = rows
    const first = world.file('a.csv', `${[header, ...body.slice(0, 120), ...body.slice(0, 10)].join('\n')}\n`)
    const whole = world.file('b.csv.gz', `${[header, ...body.toReversed()].join('\n')}\n`)
    expect((await world.run(first)).counts).toMatchObject({ engagements: 120, repeated: 10, applied: 120 })
    const before = await stateOf('3')
    expect((await world.run(first)).counts).toMatchObject({ engagements: 0, 'there already': 120, applied: 0 })
    expect((await world.run(whole)).counts).toMatchObject({
      engagements: 80,
      'there already': 120,
      applied: 80,
      late: 0,
    })
    expect((await world.run(whole, { map: ['rating>=1:save'] })).counts).toMatchObject({ engagements: 0 })
    expect(await recordsOf('engagements.v1')).toHaveLength(200)
    expect(await stateOf('3')).toMatchObject({ recentActions: (before as { recentActions: unknown }).recentActions })
  })

  it('finds events in the log that a killed import had not recorded', async () => {
    const file = world.file('a.csv', someRatings(5, 10))
    await world.run(file)
    await withOpen(openFolder({ data: world.data }), ({ environment }) =>
      environment.transaction(() => {
        const ledger = environment.database('import-ledger')
        for (const key of [...ledger.getKeys()]) void ledger.remove(key)
      }),
    )
    expect((await world.run(file)).counts).toMatchObject({ engagements: 0, 'there already': 50, applied: 0 })
  })

  it('does not rewrite unchanged catalogue entries, and does not replace real ones', async () => {
    const movies = world.file('movies.csv', 'movieId,title,genres\n1,One,A\n2,Two,B\n')
    const ratings = world.file('ratings.csv', someRatings(2, 3))
    await world.run(movies)
    expect((await world.run([movies, ratings])).counts).toMatchObject({ pins: 0, 'pins created': 1, engagements: 6 })
    expect((await pins()).map(({ pinId, title }) => [pinId, title]).sort()).toEqual([
      ['1', 'One'],
      ['2', 'Two'],
      ['3', ''],
    ])
  })

  it('creates no catalogue entries with --no-make-pins, and reports the consequence', async () => {
    const { output, counts } = await world.run(world.file('ratings.csv', someRatings(2, 3)), { makePins: false })
    expect(output).toContain('3 pins have no catalogue entry')
    expect(output).toContain('feeds never show them; --make-pins creates entries')
    expect(counts['pins created']).toBeUndefined()
    expect(await pins()).toEqual([])
  })
})

describe('A16 · a dry run', () => {
  it('prints the mapping, the first events and the problems, and writes nothing', async () => {
    const file = world.file('e.csv', 'user,item,ts,x\nann,p1,1714557600,1\nann,p 2,1714557601,2\n')
    const { output, error } = await world.run(file, { dryRun: true })
    expect(error).toMatchObject({ code: 'EVENTS_REJECTED' })
    expect(output).toContain('user → userId')
    expect(output).toContain('not used: x')
    expect(output).toMatch(
      /would post engagement: \{"userId":"ann","pinId":"p1","occurredAt":"2024-05-01T10:00:00.000Z","action":"click"/,
    )
    expect(output).toMatch(/EVENT_ID_INVALID pinId +1 +\S+e\.csv:3/)
    expect(output).toContain('dry run: nothing was written')
    await expect(openFolder({ data: world.data })).rejects.toThrow(/is not a data folder/)
  })
})

describe('A26 · an erased user', () => {
  const terminal: Terminal = {
    write: () => undefined,
    progress: { write: () => true },
    nowMs: () => 0,
    signal: new AbortController().signal,
  }

  it('does not come back by an import of the same file or of another one, and is refused by name', async () => {
    const first = world.file('a.csv', someRatings(3, 5))
    await world.run(first)
    await runUsersErase('2', { data: world.data }, terminal)
    await expect(stateOf('2')).rejects.toThrow(/USER_ERASED|2 was erased at 20/)
    const again = await world.run(first)
    expect(again.counts).toMatchObject({ engagements: 0, 'there already': 15 })
    await expect(stateOf('2')).rejects.toThrow(/2 was erased at 20/)
    // Another file, of events from before the erasure.
    const other = await world.run(world.file('b.csv', 'user,item,ts\n2,p9,1400000000\n3,p9,1400000001\n'))
    expect(other.counts).toMatchObject({ engagements: 2, applied: 1, erased: 1 })
    expect(other.error).toBeNull()
    await expect(stateOf('2')).rejects.toThrow(/2 was erased at 20/)
    expect(await stateOf('3')).toMatchObject({ userId: '3' })
    await withOpen(openFolder({ data: world.data }), async ({ log, store }) => {
      const { partitions } = { partitions: await log.partitionCount('engagements.v1') }
      const { values } = await store.read('user.1', partitionOf('2', partitions), ['2'])
      expect(values[0] ?? null).toBeNull()
    })
  })

  it('who comes back has state again, with nothing from before', async () => {
    await world.run(world.file('a.csv', someRatings(3, 5)))
    await runUsersErase('2', { data: world.data }, terminal)
    const later = new Date(Date.now() + 60_000).toISOString()
    await world.run(world.file('b.csv', `user,item,ts\n2,p9,${later}\n`))
    expect(await stateOf('2')).toMatchObject({
      recentActions: [{ action: 'click', pinId: 'p9' }],
      recentActionsKept: 1,
    })
  })
})
