import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { RankRequest, RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import { parseLine, type Question } from './recording.ts'
import { createRowsFile, rowsOfQuestion, type RankedPage } from './training-rows.ts'

const candidates = 100
const sampling = { first: 10, drawn: 30 }

const question = ((): Question => {
  const given = { at: '2026-01-01T00:00:00.000Z', userId: 'u1', target: ['p3', 'p77', 'elsewhere'] }
  const line = parseLine(JSON.stringify({ question: given }), 'test:1')
  if (line.kind !== 'question') throw new Error('not a question')
  return line.question
})()

/** Candidates p0, p1, … with their rank as the only feature; the even ones were found by the first source. */
const page: RankedPage = {
  request: RankRequest.fromPartial({
    userId: 'u1',
    pinIds: Array.from({ length: candidates }, (_, at) => `p${at}`),
    sources: ['popularity', 'trending'],
    foundBy: bytesOf(Uint32Array.from({ length: candidates }, (_, at) => (at % 2 === 0 ? 1 : 2))),
  }),
  response: RankResponse.fromPartial({
    featureNames: ['retrieval_rank'],
    features: bytesOf(Float32Array.from({ length: candidates }, (_, at) => at)),
  }),
}

const rowsOf = (seed: number) => rowsOfQuestion(question, page, { sampling, random: mulberry32(seed) })

describe('training rows of a question', () => {
  it('hold every target, the first candidates, and a draw of the others', () => {
    const rows = rowsOf(1)
    const pins = rows.map(({ values }) => values['pin'])
    const targets = rows.filter(({ labels }) => labels['target'] === 1)
    expect(targets.map(({ values }) => values['pin'])).toEqual(['p3', 'p77'])
    expect(pins.slice(0, 10)).toEqual(page.request.pinIds.slice(0, 10))
    expect(rows.length).toBeLessThan(candidates / 2 + 10)
    expect(new Set(pins).size).toBe(rows.length)
  })

  it('weigh as much as all candidates, on average', () => {
    const total = Array.from({ length: 200 }, (_, seed) => rowsOf(seed).reduce((sum, { weight }) => sum + weight, 0))
    expect(total.reduce((sum, weight) => sum + weight, 0) / 200).toBeGreaterThan(97)
    expect(total.reduce((sum, weight) => sum + weight, 0) / 200).toBeLessThan(103)
  })

  it('hold what the ranker read, under the names of exported rows, in one group', () => {
    const [first, second] = rowsOf(1)
    const at = question.atMs
    expect(first).toEqual({
      labels: { target: 0 },
      values: { at, user: 'u1', pin: 'p0', surface: 'home', sources: ['popularity'], retrieval_rank: 0 },
      weight: 1,
      group: `u1@${at}`,
    })
    expect(second).toMatchObject({ values: { sources: ['trending'] }, group: `u1@${at}` })
  })

  it('hold the facts about the pin that the ranker read', () => {
    const one = { ...page.request, pinIds: ['p0', 'p1'], foundBy: new Uint8Array(8) }
    const fact = (name: string, counts: readonly number[], texts: string[]) => ({
      name,
      texts,
      counts: bytesOf(Uint16Array.from(counts)),
    })
    const response = RankResponse.fromPartial({
      facts: [fact('pin.creator', [0, 1], ['ann']), fact('pin.topics', [2, 1], ['bread', 'rye', 'cats'])],
    })
    const rows = rowsOfQuestion(question, { request: one, response }, { sampling, random: mulberry32(1) })
    expect(rows.map(({ values }) => [values['creator'], values['topics']])).toEqual([
      [undefined, ['bread', 'rye']],
      ['ann', ['cats']],
    ])
  })

  it('are written compressed, the same for the same seed, and counted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-rows-'))
    const write = async (name: string): Promise<readonly [object, string]> => {
      const file = createRowsFile(join(folder, name), sampling, 1)
      await file.add(question, page)
      await file.add(question, page)
      const count = await file.close()
      return [count, gunzipSync(await readFile(join(folder, name))).toString()]
    }
    const [count, text] = await write('a.jsonl.gz')
    expect(count).toEqual({ questions: 2, rows: text.trimEnd().split('\n').length, targets: 4 })
    expect(await write('b.jsonl.gz')).toEqual([count, text])
    await rm(folder, { recursive: true })
  })
})
