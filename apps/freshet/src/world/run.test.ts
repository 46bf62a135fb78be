import { createSeededRandom } from '@freshet/adapters/memory/random'
import { openSpecSlot, specTextSource } from '@freshet/ranking/model/spec-file'
import { jsonSpecFile } from '@freshet/ranking/spec/spec'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { JobFactory } from '../virtual/job.ts'
import { createVirtualProduct } from '../virtual/product.ts'
import { createServedFeeds } from '../virtual/served-feeds.ts'
import type { ProductLine, Shown } from './protocol.ts'
import { runWorld, type WorldOutcome } from './run.ts'

const startMs = Date.UTC(2026, 0, 5)
const iso = (ms: number): string => new Date(startMs + ms).toISOString()
const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** The side of a program: writes lines by yielding them, and reads what the product said to it. */
type Script = (heard: ProductLine[]) => AsyncGenerator<unknown> | Generator<unknown>

interface Played {
  /** Every line in both directions. */
  readonly transcript: readonly string[]
  readonly heard: readonly ProductLine[]
  readonly outcome: WorldOutcome
}

/** Plays a script against a new product. */
async function play(
  script: Script,
  options: {
    readonly seed?: number
    readonly jobs?: readonly JobFactory[]
    readonly stopAfterMs?: number
    readonly heard?: ProductLine[]
  } = {},
): Promise<Played> {
  // The spec in JSON predicts before any training.
  const { models } = await openSpecSlot({ backend: 'auto', specFile: jsonSpecFile })
  const served = createServedFeeds()
  const product = await createVirtualProduct({
    models,
    config: { trainer: { dimensions: 16, maxPins: 1_000 } },
    partitions: 2,
    refresh: 'event',
    ranked: true,
    seed: options.seed ?? 1,
    wrapLog: served.wrapLog,
    ...(options.jobs && { jobs: options.jobs }),
  })
  const heard = options.heard ?? []
  const transcript: string[] = []
  async function* lines(): AsyncGenerator<string> {
    for await (const line of script(heard)) {
      const text = typeof line === 'string' ? line : JSON.stringify(line)
      transcript.push(`< ${text}`)
      yield text
    }
  }
  try {
    const outcome = await runWorld({
      product,
      served,
      models,
      program: {
        lines: lines(),
        send: (line) => {
          heard.push(line)
          transcript.push(`> ${JSON.stringify(line)}`)
          return Promise.resolve()
        },
        ending: () => Promise.resolve('ended with exit code 3'),
      },
      untilMs: (beginMs) => (options.stopAfterMs === undefined ? null : beginMs + options.stopAfterMs),
      elapsedMs: () => 0,
    })
    return { transcript, heard, outcome }
  } finally {
    await product.close()
    await models.close()
  }
}

const pin = (n: number) => ({
  pin: { pinId: `p${n}`, title: `Pin ${n}`, topics: [`t${n % 4}`], creatorId: `c${n % 6}`, createdAt: iso(-hourMs) },
})
const ask = (id: string, ms: number, more: object = {}) => ({
  ask: { id, at: iso(ms), userId: 'ada', surface: 'home', pageSize: 5, ...more },
})
const engagement = (id: string, ms: number, more: object = {}) => ({
  engagement: { eventId: id, userId: 'ada', action: 'click', pinId: 'p1', occurredAt: iso(ms), ...more },
})

/** The last answer. */
function lastShown(heard: readonly ProductLine[]): Shown {
  const shown = heard.flatMap((line) => ('shown' in line ? [line.shown] : [])).at(-1)
  if (shown === undefined) throw new Error('nothing was shown')
  return shown
}

/** Six users with a topic each ask for a page every half hour for a day, and save what they like. */
function* smallWorld(heard: ProductLine[]): Generator<unknown> {
  const random = createSeededRandom('small world')
  let events = 0
  for (let n = 0; n < 60; n++) yield pin(n)
  for (let turn = 0; turn < 48; turn++) {
    const user = turn % 6
    const atMs = turn * 30 * minuteMs
    yield { tick: { at: iso(atMs) } }
    yield ask(`a${turn}`, atMs, { userId: `u${user}` })
    const { feedId, pinIds } = lastShown(heard)
    for (const [position, pinId] of pinIds.entries()) {
      const at = { userId: `u${user}`, pinId, feedId, position, surface: 'home' }
      const laterMs = atMs + (position + 1) * 1_000
      yield engagement(`e${events++}`, laterMs, { ...at, action: 'impression' })
      if (Number(pinId.slice(1)) % 4 === user % 4 && random.next() < 0.7)
        yield engagement(`e${events++}`, laterMs, { ...at, action: 'save', boardId: `b${user}` })
    }
  }
  yield { report: { turns: 48 } }
  yield { end: {} }
}

describe('a world and the product', () => {
  it('exchange the same bytes for the same seed and the same program', async () => {
    const [first, second] = [await play(smallWorld), await play(smallWorld)]
    expect(second.transcript).toEqual(first.transcript)
    expect(second.outcome).toEqual(first.outcome)
    expect(first.outcome.reports).toEqual(['{"turns":48}'])
    expect(first.outcome.figures).toMatchObject({ asks: 48, pages: 48, pins: 60, engagementsElsewhere: 0 })
    const other = await play(smallWorld, { seed: 2 })
    expect(other.transcript).not.toEqual(first.transcript)
  }, 60_000)

  it('begin with hello; a page comes with the probabilities that its record contains', async () => {
    const { heard } = await play(function* () {
      for (let n = 0; n < 20; n++) yield pin(n)
      yield ask('a', 0)
      yield { end: {} }
    })
    expect(heard[0]).toEqual({ hello: { protocol: 1 } })
    const { pinIds, probabilities = {}, degradation, at, id } = lastShown(heard)
    expect({ id, at, degradation, pins: pinIds.length }).toEqual({
      id: 'a',
      at: iso(0),
      degradation: 'DEGRADATION_NONE',
      pins: 5,
    })
    expect(Object.keys(probabilities)).toContain('save')
    for (const column of Object.values(probabilities)) {
      expect(column.length).toBe(5)
      expect(column.every((p) => p > 0 && p < 1)).toBe(true)
    }
  })

  it('show no pin twice on the pages of a user, because what is served is recorded', async () => {
    const { heard } = await play(function* () {
      for (let n = 0; n < 30; n++) yield pin(n)
      for (let n = 0; n < 5; n++) yield ask(`a${n}`, n * minuteMs)
      yield { end: {} }
    })
    const pinIds = heard.flatMap((line) => ('shown' in line ? line.shown.pinIds : []))
    expect(pinIds.length).toBe(25)
    expect(new Set(pinIds).size).toBe(25)
  })

  it('answer an ask for related pins, without the pin itself', async () => {
    const { heard } = await play(function* () {
      for (let n = 0; n < 20; n++) yield pin(n)
      for (let n = 0; n < 8; n++) yield engagement(`e${n}`, n * 1_000, { userId: `u${n % 2}`, pinId: `p${n % 4}` })
      yield ask('a', minuteMs, { surface: 'related', pinId: 'p1' })
      yield { end: {} }
    })
    const { pinIds } = lastShown(heard)
    expect(pinIds.length).toBeGreaterThan(0)
    expect(pinIds).not.toContain('p1')
  })

  it('apply every earlier line before an answer', async () => {
    const { heard } = await play(function* () {
      for (let n = 0; n < 6; n++) yield pin(n)
      yield engagement('e1', 0, { action: 'hide', pinId: 'p3' })
      yield { pin: { pinId: 'p4', deleted: true } }
      yield ask('a', 0)
      yield { end: {} }
    })
    expect([...lastShown(heard).pinIds].sort()).toEqual(['p0', 'p1', 'p2', 'p5'])
  })

  it('accept engagements on pins and feeds that nobody described, and count them', async () => {
    const { outcome } = await play(function* () {
      yield pin(1)
      yield engagement('e1', 0, { pinId: 'elsewhere' })
      yield engagement('e2', 0, { pinId: 'p1', feedId: 'a-feed-of-before', position: 0 })
      yield ask('a', 1)
      yield { end: {} }
    })
    expect(outcome.figures).toMatchObject({ engagements: 2, engagementsOnUnknownPins: 1, engagementsElsewhere: 1 })
  })

  it('stop at the given time: the program hears it once, and gets answers until it ends', async () => {
    const { heard } = await play(
      function* () {
        yield pin(1)
        for (let n = 0; n < 4; n++) yield ask(`a${n}`, n * hourMs)
        yield { end: {} }
      },
      { stopAfterMs: 2 * hourMs },
    )
    const kinds = heard.map((line) => Object.keys(line)[0])
    expect(kinds).toEqual(['hello', 'shown', 'shown', 'stop', 'shown', 'shown'])
    expect(heard[3]).toEqual({ stop: { at: iso(2 * hourMs) } })
  })

  it('end with an error if the program does not stop', async () => {
    const goOn = function* (): Generator<unknown> {
      for (let n = 0; n < 40; n++) yield { tick: { at: iso(n * hourMs) } }
    }
    await expect(play(goOn, { stopAfterMs: hourMs })).rejects.toMatchObject({ code: 'WORLD_NOT_STOPPED' })
  })

  it.each([
    ['time goes back', [ask('a', 1_000), engagement('e', 999)], 2, /goes back in time/],
    ['a line is not JSON', [pin(1), '', '{"tick"'], 3, /is not JSON/],
    ['a line is unknown', [pin(1), { tock: {} }], 2, /unknown key "tock"/],
  ])('end with the line and the reason, which the program hears too, if %s', async (_name, lines, line, reason) => {
    const heard: ProductLine[] = []
    await expect(play(() => lines[Symbol.iterator]() as Generator<unknown>, { heard })).rejects.toMatchObject({
      code: 'WORLD_PROTOCOL_BROKEN',
      message: expect.stringMatching(new RegExp(`^line ${line} of the program: `)) as string,
    })
    expect(heard.at(-1)).toEqual({ error: { line, reason: expect.stringMatching(reason) as string } })
  })

  it('end with an error if the program ends without saying so', async () => {
    await expect(play(() => [pin(1)][Symbol.iterator]() as Generator<unknown>)).rejects.toMatchObject({
      code: 'WORLD_PROGRAM_ENDED',
      message: 'the program ended with exit code 3 after line 1, without {"end":{}}',
    })
  })

  it('run jobs in step with virtual time, and say which model was promoted', async () => {
    const spec = JSON.parse(await readFile(jsonSpecFile, 'utf8')) as { version: string }
    const seen: number[] = []
    let feeds = 0
    const job: JobFactory = ({ log, models }) => ({
      async start() {
        await log.readAll({
          topics: ['feeds-served.v1'],
          maxBatchRecords: 100,
          startAt: () => null,
          onBatch: ({ records }) => Promise.resolve(void (feeds += records.length)),
          onError: (error) => {
            throw error
          },
        })
      },
      async runDue(nowMs) {
        seen.push(nowMs - startMs)
        if (feeds === 1) await models.swap(specTextSource('a test', JSON.stringify({ ...spec, version: 'newer' })))
      },
      stop: () => Promise.resolve(),
    })
    const { heard, outcome } = await play(
      function* () {
        yield pin(1)
        yield ask('a', 0)
        yield { tick: { at: iso(hourMs) } }
        yield ask('b', 2 * hourMs)
        yield { end: {} }
      },
      { jobs: [job] },
    )
    expect(seen).toEqual([0, hourMs, 2 * hourMs, 2 * hourMs])
    expect(feeds).toBe(2)
    expect(heard.filter((line) => 'model' in line)).toEqual([{ model: { version: 'newer', at: iso(hourMs) } }])
    expect(outcome.figures.modelsPromoted).toBe(1)
  })
})
