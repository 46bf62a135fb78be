import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseOptions } from './options.ts'
import { planFile } from './plan.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-headers-'))
afterAll(() => rmSync(folder, { recursive: true }))
const nowMs = Date.parse('2026-01-01T00:00:00.000Z')

/** The columns that become the user, the pin and the time of a file of engagements; null: the import asks. */
async function read(text: string, options: Parameters<typeof parseOptions>[0] = {}): Promise<string | null> {
  const file = join(folder, 'file.csv')
  writeFileSync(file, text)
  const plan = await planFile(file, parseOptions(options, nowMs))
  if (plan.kind !== 'rows') throw new Error('is a recording')
  const nameOf = (field: string): string =>
    plan.reading.mapping.fields.find((each) => each.field === field)?.name ?? '–'
  return [plan.as, nameOf('userId'), nameOf('pinId'), nameOf('occurredAt')].join(' ')
}

/** Headers of public data sets and of exports of shops, with a row. */
const headers: readonly (readonly [header: string, row: string, expected: string])[] = [
  ['userId,movieId,rating,timestamp', '1,31,2.5,1260759144', 'engagements userId movieId timestamp'],
  [
    'user_id,item_id,category_id,behavior_type,timestamp',
    '1,2,3,pv,1511544070',
    'engagements user_id item_id timestamp',
  ],
  [
    'timestamp,visitorid,event,itemid,transactionid',
    '1433221332117,2,view,3,',
    'engagements visitorid itemid timestamp',
  ],
  ['session_id,item,ts', 's1,i1,1714557600', 'engagements session_id item ts'],
  ['SessionId;ItemId;Time', '1;2;2014-04-07T10:51:09.277Z', 'engagements SessionId ItemId Time'],
  [
    'sessionId;userId;itemId;timeframe;eventdate',
    '1;NA7;81766;526309;2016-05-09',
    'engagements userId itemId eventdate',
  ],
  ['visitor/article/when'.replaceAll('/', ','), 'a,b,2024-01-31', 'engagements visitor article when'],
  ['customer,sku,purchased_at', 'a,b,2024-01-31 10:00:00', 'engagements customer sku purchased_at'],
  [
    't_dat,customer_id,article_id,price,sales_channel_id',
    '2018-09-20,00005,66354,0.05,2',
    'engagements customer_id article_id t_dat',
  ],
  [
    'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
    '5,8A,LAMP,6,2010-12-01 08:26:00,2.55,17850,UK',
    'engagements CustomerID StockCode InvoiceDate',
  ],
  [
    'event_time,event_type,product_id,category_id,brand,price,user_id',
    '2019-10-01 00:00:00 UTC,view,4,2,shi,35.7,5',
    'engagements user_id product_id event_time',
  ],
  ['user_id,business_id,stars,date', 'a,b,4,2018-07-07 22:09:11', 'engagements user_id business_id date'],
  ['reviewerID,asin,overall,unixReviewTime', 'A2,0001,5.0,1362182400', 'engagements reviewerID asin unixReviewTime'],
  ['User-ID;ISBN;Book-Rating;Date', '276725;034545104X;4;2004-01-02', 'engagements User-ID ISBN Date'],
  ['user_id,anime_id,my_rating,updated', '1,20,8,2019-01-01', 'engagements user_id anime_id updated'],
  ['userid\ttimestamp\tartid\ttrack_id', 'u1\t2009-05-04T23:08:57Z\ta1\tt1', 'engagements userid track_id timestamp'],
  ['msno,song_id,date', 'a,b,20170101', 'asks'],
  ['household_key,PRODUCT_ID,DAY', '1,2,2020-01-01', 'engagements household_key PRODUCT_ID DAY'],
  [
    'user_pseudo_id,event_name,event_timestamp,item_id',
    '1.2,view,1611100800000000,i9',
    'engagements user_pseudo_id item_id event_timestamp',
  ],
  ['distinct_id,event,time,content_id', 'd1,view,1611100800,c1', 'engagements distinct_id content_id time'],
  [
    'anonymous_id|event|product_id|timestamp',
    'd1|click|c1|2024-01-31T10:00:00Z',
    'engagements anonymous_id product_id timestamp',
  ],
  ['client_id^doc_id^viewed_at', 'd1^c1^2024-01-31', 'engagements client_id doc_id viewed_at'],
  ['reader~story_id~read_on', 'd1~c1~2024-01-31', 'engagements reader story_id read_on'],
  ['viewer,episode,watched_at', 'd1,c1,1714557600', 'engagements viewer episode watched_at'],
  ['buyer_id,listing_id,order_date', 'd1,c1,2024-01-31', 'engagements buyer_id listing_id order_date'],
  ['member_no,offer_code,click_time', 'd1,c1,2024-01-31', 'engagements member_no offer_code click_time'],
  ['student_id,course_id,created_on', 'd1,c1,2024-01-31', 'engagements student_id course_id created_on'],
  ['shopper,thing,moment', 'd1,c1,2024-01-31', 'engagements shopper thing moment'],
  ['cookie_id,news_id,unix_timestamp', 'd1,c1,1714557600', 'engagements cookie_id news_id unix_timestamp'],
  ['sess_id,prod_id,epoch,dwell', 'd1,c1,1714557600,3.5', 'engagements sess_id prod_id epoch'],
  ['a,b,c', 'd1,c1,2024-01-31', 'asks'],
  ['movieId,title,genres', '1,Toy Story (1995),Comedy', 'pins – movieId –'],
  ['product_id,product_name,department_id,aisle_id', '1,Cookies,19,61', 'pins – product_id –'],
  ['article_id,prod_name,colour,detail_desc', '1,Top,black,warm', 'pins – article_id –'],
]

describe('the import reads the columns of', () => {
  it.each(headers)('%s', async (header, row, expected) => {
    expect(await read(`${header}\n${row}\n`).catch(() => 'asks')).toBe(expected)
  })

  it('a file whose columns only their values tell, and says why', async () => {
    const file = join(folder, 'values.csv')
    writeFileSync(file, 'shopper,thing,moment,price\na,p1,2024-01-31,1.5\nb,p2,2024-02-01,2.5\n')
    const { lines } = await planFile(file, parseOptions({}, nowMs))
    expect(lines.join('\n')).toContain('moment → occurredAt (its values are times; --map moment=- changes this)')
    expect(lines.join('\n')).toContain('thing → pinId (it is the only other column of ids; --map thing=- changes this)')
  })
})

/** What must not be taken for something else: the import asks, or leaves the column alone. */
const others: readonly (readonly [header: string, rows: readonly string[], expected: string])[] = [
  ['user,barcode,qty', ['u1,887276541211,2', 'u2,887276541299,1'], 'asks'],
  ['user_id,item_id,ref_no', ['u1,i1,1004856789', 'u2,i2,1004856790'], 'asks'],
  ['user_id,timestamp,country', ['u1,1714557600,de', 'u2,1714557601,us'], 'asks'],
  ['user_id,timestamp,order_id', ['u1,1714557600,o1', 'u2,1714557601,o2'], 'asks'],
  ['user_id,timestamp,land', ['u1,1714557600,de', 'u2,1714557601,us'], 'asks'],
  ['user_id,item_id,birthday', ['u1,i1,1999-01-02', 'u2,i2,2001-01-02'], 'asks'],
  ['user_id,item_id,other', ['u1,i1,2099-01-02', 'u2,i2,2098-01-02'], 'asks'],
  ['customer_id,postcode,since', ['1,90210,2024-01-01', '2,80331,2024-01-02'], 'asks'],
  ['utilisateur,article,date', ['ann,p1,2024-01-01', 'bob,p2,2024-01-02'], 'asks'],
  ['pin_id,created_at', ['p1,2024-01-01'], 'pins – pin_id –'],
  ['Nutzer;Artikel;Zeitstempel;Bewertung', ['a;b;2024-01-01;5'], 'asks'],
  ['session_id,item_id,client,ts', ['s1,i1,ios,1714557600'], 'engagements session_id item_id ts'],
  ['user_id,post_id,content,created_at', ['1,9,a text,2024-01-01'], 'engagements user_id post_id created_at'],
  ['id,title,price,stock', ['1,Lamp,2.5,7', '2,Desk,9,7'], 'pins – id –'],
  ['id,title,content,author', ['1,Lamp,a long text,ann'], 'pins – id –'],
  ['post_id,title,body,username,created_at', ['1,a,b,ann,2024-01-01'], 'pins – post_id –'],
]

describe('the import takes nothing for what it is not:', () => {
  it.each(others)('%s', async (header, rows, expected) => {
    expect(await read(`${[header, ...rows].join('\n')}\n`).catch(() => 'asks')).toBe(expected)
  })

  it('few values for many rows, and another one in each of many', async () => {
    const rows = (thing: (row: number) => string): string =>
      Array.from({ length: 200 }, (_, row) => `u${row % 9},${thing(row)},1714557600`).join('\n')
    const readWith = (thing: (row: number) => string) => read(`user,thing,ts\n${rows(thing)}\n`).catch(() => 'asks')
    expect(await readWith((row) => `x${row % 3}`)).toBe('asks')
    expect(await readWith((row) => `x${row}`)).toBe('asks')
    expect(await readWith((row) => `x${row % 50}`)).toBe('engagements user thing ts')
  })

  it('a column that the user gave up, or a time where the user gave one', async () => {
    const text = 'shopper,thing,moment\na,p1,2024-01-31\nb,p2,2024-02-01\n'
    expect(await read(text)).toBe('engagements shopper thing moment')
    for (const column of ['thing', 'moment'])
      await expect(read(text, { map: [`${column}=-`] })).rejects.toThrow(/no column is the/)
    expect(await read(text, { occurredAt: '2025-01-01T00:00:00.000Z' })).toBe('engagements shopper thing –')
  })

  it('a file of sessions whose pin the user named', async () => {
    const text = 'session_id,thing,timestamp\ns1,i1,1714557600\n'
    expect(await read(text, { map: ['thing=pinId'] })).toBe('engagements session_id thing timestamp')
  })
})

describe('a wrong rating among few', () => {
  it.each(['good', '-3', '700', '44'])('%s is refused with its line, and the others count', async (wrong) => {
    const file = join(folder, 'ratings.csv')
    writeFileSync(
      file,
      `user,item,rating,ts\n${['5', wrong, '4', '3'].map((r, at) => `u${at},p${at},${r},1714557600`).join('\n')}\n`,
    )
    const plan = await planFile(file, parseOptions({}, nowMs))
    expect(plan.lines.join('\n')).toContain('(scale 0–5)')
    if (plan.kind !== 'rows') throw new Error('is a recording')
    const cells = ['u', 'p', wrong, '1714557600']
    expect(plan.convert({ line: 3, cells })).toMatchObject({ code: 'EVENT_FIELD_VALUE' })
  })
})
