import { gzipSync } from 'node:zlib'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { basename, join } from 'node:path'
import { until } from '@freshet/service/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { anOperatedFolder } from '../operate.fixture.ts'
import type { PlanJson } from './plan-json.ts'
import type { UploadJson } from './routes.ts'
import { newUploadsFolder } from './uploads.ts'

let world: Awaited<ReturnType<typeof anOperatedFolder>>
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function open(given: Parameters<typeof anOperatedFolder>[0] = {}): Promise<void> {
  world = await anOperatedFolder(given)
  closing.push(() => world.close())
}

const pieceBytes = 1_000

/** Sends a file in pieces, the way the page does. Returns its id. */
async function send(name: string, content: string | Uint8Array): Promise<string> {
  const { id } = (await world.ask('POST', '/imports', { name })).json as UploadJson
  const bytes = Buffer.from(content)
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const answer = await world.app.inject({
      method: 'POST',
      url: `/api/console/operate/imports/${id}/pieces?at=${at}`,
      headers: { 'content-type': 'application/octet-stream' },
      payload: bytes.subarray(at, at + pieceBytes),
    })
    expect(answer.statusCode).toBe(200)
  }
  return id
}

const planOf = async (id: string, reading: object = {}): Promise<PlanJson> =>
  (await world.ask('POST', `/imports/${id}/plan`, { reading })).json

async function importNow(id: string, reading: object = {}, dryRun = false): Promise<NonNullable<UploadJson['job']>> {
  const started = await world.ask('POST', `/imports/${id}/start`, { reading, dryRun })
  expect(started).toMatchObject({ status: 200 })
  let job: UploadJson['job'] = null
  await until(
    'the import ends',
    async () => {
      ;({ job } = (await world.ask('GET', `/imports/${id}`)).json)
      return job?.state !== 'running'
    },
    20_000,
  )
  return job!
}

/** Odd on purpose: semicolons, quoted line breaks, an unknown column, wrong rows. */
const oddRows = [
  'who;what;moment;note;kind',
  'ada;p1;2001-02-03T10:00:00Z;"one',
  'two";buy',
  'ben;p2;2001-02-03T11:00:00Z;plain;view',
  'cy;p3;yesterday;wrong time;view',
  'too;few',
  'di;p4;2001-02-03T12:00:00Z;;dance',
  'ed;p5;2001-02-03T13:00:00Z;;view',
].join('\n')
const mapped = { who: 'userId', what: 'pinId', moment: 'occurredAt', kind: 'action' }

describe('an import through the page', () => {
  it('shows the columns with samples, and what is missing, until they are mapped by hand', async () => {
    await open()
    const id = await send('odd.csv', oddRows)
    const guessed = await planOf(id)
    expect(guessed).toMatchObject({ format: 'CSV with semicolons', as: 'pins' })
    expect(guessed.problem).toMatch(/^no column is the pin/)
    expect(guessed.problem).not.toContain(world.folder)
    expect(guessed.fields).toEqual(expect.arrayContaining(['userId', 'pinId', 'title']))
    expect(guessed.columns.map(({ name }) => name)).toEqual(['who', 'what', 'moment', 'note', 'kind'])
    expect(guessed.columns[3]?.samples[0]).toBe('one\ntwo')

    const plan = await planOf(id, { mapped })
    expect(plan).toMatchObject({ problem: null, as: 'engagements' })
    expect(plan.columns.map(({ field }) => field)).toEqual(['userId', 'pinId', 'occurredAt', null, 'action'])
    const byValue = await planOf(await send('few.csv', 'shopper,thing,moment\nada,p1,2001-02-03\nben,p2,2001-02-03\n'))
    expect(byValue.columns.map(({ field }) => field)).toEqual(['userId', 'pinId', 'occurredAt'])
    expect(plan.first[0]).toMatchObject({ line: 2, event: { userId: 'ada', pinId: 'p1', action: 'save' } })
    expect(plan.command).toBe(
      'npx freshet import odd.csv --map who=userId --map what=pinId --map moment=occurredAt --map kind=action'.replaceAll(
        /--map (\S+)/g,
        "--map '$1'",
      ),
    )
  })

  it('reads columns whose names have commas and equals signs', async () => {
    await open()
    const id = await send('names.tsv', 'user, the\tpin=id\twhen\nada\tp1\t2024-01-01\n')
    const plan = await planOf(id, { mapped: { 'user, the': 'userId', 'pin=id': 'pinId', when: 'occurredAt' } })
    expect(plan).toMatchObject({ problem: null, format: 'TSV' })
    expect(plan.first).toMatchObject([{ event: { userId: 'ada', pinId: 'p1', action: 'click' } }])
  })

  it('applies events of any age, refuses wrong rows with their lines, and changes nothing a second time', async () => {
    await open()
    const id = await send('odd.csv', oddRows)
    const first = await importNow(id, { mapped })
    expect(first).toMatchObject({ state: 'done', error: null })
    expect(first.table).toMatchObject({ read: 6, accepted: 3, engagements: 3, refused: 3, madePins: 3 })
    expect(first.table.applied?.applied).toBe(3)
    expect(Object.fromEntries(first.table.refusals.map(({ code, places }) => [code, places]))).toEqual({
      EVENT_TIME_INVALID: ['5'],
      ROW_MALFORMED: ['6'],
      EVENT_FIELD_VALUE: ['7'],
    })

    const again = await importNow(await send('other-name.csv.gz', gzipSync(oddRows)), { mapped })
    expect(again.table).toMatchObject({ read: 6, engagements: 0, imported: 3, refused: 3 })
  })

  it('can check the rows and write nothing', async () => {
    await open()
    const job = await importNow(await send('odd.csv', oddRows), { mapped }, true)
    expect(job).toMatchObject({ dryRun: true, state: 'done', table: { engagements: 3, refused: 3, applied: null } })
    expect(await world.log.ends('engagements.v1')).toEqual([0, 0])
  })

  it('imports twenty thousand rows in many pieces', async () => {
    await open()
    const rating = (row: number): string => (row % 1_000 === 0 ? 'none' : String((row % 5) + 1))
    const rows = Array.from(
      { length: 20_000 },
      (_, row) => `u${row % 500},p${row % 300},${1_600_000_000 + row},${rating(row)}`,
    )
    const id = await send('many.csv', `user,item,timestamp,rating\n${rows.join('\n')}\n`)
    const job = await importNow(id)
    expect(job.table).toMatchObject({ read: 20_000, engagements: 19_980, refused: 20 })
    expect(job.table.applied?.applied).toBe(19_980)
  }, 60_000)

  it.each([
    ['a spreadsheet', Buffer.from('PK\u0003\u0004 and so on'), /zip archive/],
    ['a picture', Buffer.from([0x89, 0x50, 0, 1, 2]), /not a text file/],
    ['an empty file', '', /is empty/],
    [
      'a quote that never closes',
      `user,item,timestamp\n"ada,p1,2024-01-01\nben,p2,2024-01-01\ncy,p3,2024-01-01\n`,
      /quote/,
    ],
    ['a cut gzip file', gzipSync('user,item,timestamp\nada,p1,2024-01-01\n').subarray(0, 30), /gzip/],
  ])('says what is wrong with %s', async (_name, content, problem) => {
    await open()
    const id = await send('file.csv', '')
    if (content.length > 0) {
      const { id: other } = (await world.ask('POST', '/imports', { name: 'file.csv' })).json as UploadJson
      const bytes = Buffer.from(content)
      for (let at = 0; at < bytes.length; at += 1 << 19)
        await world.app.inject({
          method: 'POST',
          url: `/api/console/operate/imports/${other}/pieces?at=${at}`,
          headers: { 'content-type': 'application/octet-stream' },
          payload: bytes.subarray(at, at + (1 << 19)),
        })
      expect((await planOf(other)).problem).toMatch(problem)
    } else expect((await planOf(id)).problem).toMatch(problem)
  })

  it('takes a piece twice, also after half of one, and refuses one that leaves a gap', async () => {
    await open()
    const { id } = (await world.ask('POST', '/imports', { name: '../../etc/passwd' })).json as UploadJson
    const post = (at: number, payload: string) =>
      world.app.inject({
        method: 'POST',
        url: `/api/console/operate/imports/${id}/pieces?at=${at}`,
        headers: { 'content-type': 'application/octet-stream' },
        payload,
      })
    expect((await post(0, 'abc')).statusCode).toBe(200)
    expect(JSON.parse((await post(0, 'abc')).body)).toMatchObject({ bytes: 3 })
    expect((await post(9, 'abc')).statusCode).toBe(400)
    const file = join(world.folder, 'imports', id, 'passwd')
    // What a try leaves that fails on a full disk.
    appendFileSync(file, 'de')
    expect((await post(3, 'def')).statusCode).toBe(200)
    expect(readFileSync(file, 'utf8')).toBe('abcdef')
    expect((await world.ask('DELETE', `/imports/${id}`)).status).toBe(200)
    expect(existsSync(join(world.folder, 'imports', id))).toBe(false)
  })

  it('removes a file after a day, also where nobody does', async () => {
    const ticks: (() => void)[] = []
    const sleep = (ms: number): Promise<void> => {
      expect(ms).toBe(86_400_000)
      return new Promise((resolve) => ticks.push(resolve))
    }
    await open({ clock: { now: () => Date.now(), sleep } })
    const [kept, old] = [await send('kept.csv', oddRows), await send('old.csv', oddRows)]
    await importNow(old, { mapped }, true)
    ticks[1]!()
    await until('the file is gone', () => !existsSync(join(world.folder, 'imports', old)), 5_000)
    const { files } = (await world.ask('GET', '/imports')).json as { readonly files: readonly UploadJson[] }
    expect(files.map(({ id }) => id)).toEqual([kept])
  })

  it('removes at the start what a console left that was killed', async () => {
    await open()
    const place = mkdtempSync(join(world.folder, 'tmp-'))
    for (const name of ['freshet-console-old', 'freshet-console-new', 'others']) mkdirSync(join(place, name))
    utimesSync(join(place, 'freshet-console-old'), 0, 0)
    utimesSync(join(place, 'others'), 0, 0)
    const own = newUploadsFolder(Date.now(), place)
    expect(readdirSync(place).sort()).toEqual([basename(own), 'freshet-console-new', 'others'].sort())
  })

  it('refuses options that do not exist, and a second import at the same time', async () => {
    await open({
      openDestination: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    })
    const id = await send('odd.csv', oddRows)
    expect(await world.ask('POST', `/imports/${id}/plan`, { reading: { speed: 1 } })).toMatchObject({ status: 400 })
    await world.ask('POST', `/imports/${id}/start`, { reading: { mapped }, dryRun: false })
    const other = await send('odd.csv', oddRows)
    expect(await world.ask('POST', `/imports/${other}/start`, { reading: { mapped }, dryRun: false })).toMatchObject({
      status: 503,
      json: { error: { code: 'CALL_UNAVAILABLE' } },
    })
  })
})
