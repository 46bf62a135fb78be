/**
 * Makes recordings (see the README of `freshet evaluate`) from the public data sets.
 *
 *   node test/quality/convert.ts diginetica FOLDER OUT.jsonl.gz [--periods 0-16]
 *   node test/quality/convert.ts movietweetings FOLDER OUT.jsonl.gz
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createGunzip, createGzip } from 'node:zlib'

const weekMs = 7 * 86_400_000
const dayMs = 86_400_000

/** Where the invented calendar of DIGINETICA begins: the data has an order but no times. */
const digineticaStartMs = Date.UTC(2016, 0, 4)

type Line = Readonly<Record<string, unknown>>

/**
 * DIGINETICA by ADER's protocol: questions in periods ≥ 1, at every prefix of every session, one group a period, a mark
 * before each; targets that no earlier period has are left out. A period's clicks are spread evenly over its week.
 */
export async function* digineticaLines(
  folder: string,
  periods: readonly number[],
  maxClicksPerPeriod = Infinity,
): AsyncGenerator<Line> {
  const known = new Set<string>()
  for (const period of periods) {
    const clicks: [string, string][] = []
    for await (const line of linesOf(join(folder, `period_${period}.txt.gz`))) {
      const [session, item] = line.split(' ')
      if (session !== undefined && item !== undefined && clicks.length < maxClicksPerPeriod)
        clicks.push([session, item])
    }
    yield { mark: `period ${period}` }
    const started = new Set<string>()
    for (const [at, [session, item]] of clicks.entries()) {
      const occurredAt = new Date(
        digineticaStartMs + period * weekMs + Math.floor((at / clicks.length) * weekMs),
      ).toISOString()
      const userId = `s${session}`
      if (period > 0 && started.has(session) && known.has(item)) {
        yield { question: { at: occurredAt, userId, sessionId: userId, target: `p${item}`, group: String(period) } }
      }
      started.add(session)
      yield {
        engagement: {
          eventId: `${period}-${at}`,
          userId,
          sessionId: userId,
          action: 'click',
          pinId: `p${item}`,
          occurredAt,
        },
      }
    }
    for (const [, item] of clicks) known.add(item)
  }
}

/** MovieTweetings, prequential: 30 days of warm-up, then a question before every rating; the films are known from the start. */
export async function* movietweetingsLines(folder: string): AsyncGenerator<Line> {
  for await (const line of linesOf(join(folder, 'movies.dat.gz'))) {
    const [film, title, genres] = line.split('::')
    if (film === undefined || film === '') continue
    const topics = (genres ?? '')
      .split('|')
      .filter((genre) => genre !== '')
      .map((genre) => genre.replaceAll(' ', '-'))
    yield { pin: { pinId: `m${film}`, title: title ?? '', topics } }
  }
  const ratings: { user: string; film: string; seconds: number }[] = []
  for await (const line of linesOf(join(folder, 'ratings.dat.gz'))) {
    const [user, film, , seconds] = line.split('::')
    if (user !== undefined && film !== undefined) ratings.push({ user, film, seconds: Number(seconds) })
  }
  // The file is sorted by user; rows of one second keep their order in it.
  ratings.sort((a, b) => a.seconds - b.seconds)
  const first = ratings[0]?.seconds ?? 0
  for (const [at, { user, film, seconds }] of ratings.entries()) {
    const occurredAt = new Date(seconds * 1000).toISOString()
    const userId = `u${user}`
    if (seconds - first >= 30 * (dayMs / 1000)) yield { question: { at: occurredAt, userId, target: `m${film}` } }
    yield { engagement: { eventId: String(at), userId, action: 'save', pinId: `m${film}`, occurredAt } }
  }
}

/** Writes lines as a recording; `.gz` in the name compresses it. */
export async function writeRecording(lines: AsyncIterable<Line> | Iterable<Line>, file: string): Promise<number> {
  let count = 0
  async function* text(): AsyncGenerator<string> {
    let chunk = ''
    for await (const line of lines) {
      count++
      chunk += `${JSON.stringify(line)}\n`
      if (chunk.length > 1 << 16) {
        yield chunk
        chunk = ''
      }
    }
    yield chunk
  }
  const out = createWriteStream(file)
  if (file.endsWith('.gz')) await pipeline(Readable.from(text()), createGzip({ level: 1 }), out)
  else await pipeline(Readable.from(text()), out)
  return count
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity })
}

function rangeOf(text: string): number[] {
  const [from, to] = text.split('-').map(Number)
  return Array.from({ length: (to ?? from!) - from! + 1 }, (_, at) => from! + at)
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    options: { periods: { type: 'string', default: '0-16' } },
    allowPositionals: true,
  })
  const [set, folder, out] = positionals
  if ((set !== 'diginetica' && set !== 'movietweetings') || folder === undefined || out === undefined) {
    console.error(
      'usage: node test/quality/convert.ts diginetica|movietweetings FOLDER OUT.jsonl[.gz] [--periods 0-16]',
    )
    process.exitCode = 2
  } else {
    const lines = set === 'diginetica' ? digineticaLines(folder, rangeOf(values.periods)) : movietweetingsLines(folder)
    console.log(`${await writeRecording(lines, out)} lines in ${out}`)
  }
}
