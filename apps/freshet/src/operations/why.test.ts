import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { Degradation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeFailure } from '../failure.ts'
import { runUsersErase } from './erase-user.ts'
import { openFolder, withOpen } from './platform.ts'
import type { Terminal } from './terminal.ts'
import { runWhy } from './why.ts'

let data: string
let written: string

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'freshet-why-'))
  written = ''
  await (await openFolder({ data }, 4)).close()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const terminal: Terminal = {
  write: (text) => (written += text),
  progress: { write: () => true },
  nowMs: () => 0,
  signal: new AbortController().signal,
}

/** Two pins, `p1` found by the second source and `p2` by both; features a and b; probabilities .5 and .25 of a click. */
function aFeed(feedId: string, userId: string, more: Partial<FeedServed> = {}): FeedServed {
  return FeedServed.fromPartial({
    feedId,
    userId,
    atMs: Date.UTC(2026, 0, 31, 8),
    surface: Surface.HOME,
    firstPosition: 25,
    pinIds: ['p1', 'p2'],
    utilities: bytesOf(Float32Array.of(1.5, 0.75)),
    sources: ['trending', 'popularity'],
    foundBy: bytesOf(Uint32Array.of(2, 3)),
    featureNames: ['a', 'b'],
    features: bytesOf(Float32Array.of(1, 2, 3, 4)),
    actions: ['click'],
    probabilities: bytesOf(Float32Array.of(0.5, 0.25)),
    modelVersion: 'home-1',
    degradation: Degradation.PARTIAL,
    stages: [{ stage: 'seen', candidatesIn: 9, candidatesOut: 2, tookUs: 1500, removed: { seen: 7 }, error: '' }],
    ...more,
  })
}

const record = (...feeds: readonly FeedServed[]): Promise<unknown> =>
  withOpen(openFolder({ data }), ({ log }) =>
    log.append(
      'feeds-served.v1',
      feeds.map((feed) => ({ key: feed.userId, value: FeedServed.encode(feed).finish(), partition: null })),
    ),
  )

describe('freshet why', () => {
  it('shows the last feed of the user, with places, sources, probabilities and what stages removed', async () => {
    await record(aFeed('f1', 'ada'), aFeed('f2', 'ada'), aFeed('f3', 'bob'))
    await runWhy('ada', { data }, terminal)
    expect(written).toContain('feed f2 of ada at 2026-01-31T08:00:00.000Z: home, degradation PARTIAL, model home-1')
    expect(written).toMatch(/ 25 {2}p1 {2}utility 1\.500 {2}click 0\.500 {2}from popularity\n/)
    expect(written).toMatch(/ 26 {2}p2 {2}utility 0\.750 {2}click 0\.250 {2}from trending, popularity\n/)
    expect(written).toMatch(/seen +9 → +2 +1\.5 ms {2}seen 7/)
  })

  it('shows the features of one pin as the ranker used them', async () => {
    await record(aFeed('f1', 'ada'))
    await runWhy('ada', { data, pin: 'p2' }, terminal)
    expect(written).toMatch(/p2 at 26, utility 0\.7500/)
    expect(written).toMatch(/a +3\n {2}b +4\n/)
    expect(written).not.toContain('p1')
  })

  it('shows the exposed values, amounts and facts of one pin, and a missing one as missing', async () => {
    await record(
      aFeed('f1', 'ada', {
        amountNames: ['dwell'],
        amounts: bytesOf(Float32Array.of(12, 3.5)),
        exposedNames: ['lift', 'doubt'],
        exposed: bytesOf(Float32Array.of(0.5, 0.25, -1, NaN)),
        facts: [
          { name: 'pin.topics', texts: ['art', 'food', 'cats'], counts: bytesOf(Uint16Array.of(1, 2)) },
          { name: 'pin.creator', texts: ['c1'], counts: bytesOf(Uint16Array.of(1, 0)) },
        ],
      }),
    )
    await runWhy('ada', { data, pin: 'p2' }, terminal)
    expect(written).toMatch(/ {2}P\(click\) 0\.2500\n {2}E\[dwell\] 3\.5000\n/)
    expect(written).toMatch(/ {2}lift +-1 \(exposed\)\n {2}doubt +missing \(exposed\)\n/)
    expect(written).toMatch(/ {2}pin\.topics +food, cats\n {2}pin\.creator +none\n/)
    written = ''
    await runWhy('ada', { data, pin: 'p1', json: true }, terminal)
    expect((JSON.parse(written) as { pins: unknown[] }).pins[0]).toMatchObject({
      amounts: { dwell: 12 },
      exposed: { lift: 0.5, doubt: 0.25 },
      facts: { 'pin.topics': ['art'], 'pin.creator': ['c1'] },
    })
  })

  it('shows an earlier feed by id, also as JSON', async () => {
    await record(aFeed('f1', 'ada', { surface: Surface.RELATED, relatedToPinId: 'p9' }), aFeed('f2', 'ada'))
    await runWhy('ada', { data, feed: 'f1', json: true }, terminal)
    expect(JSON.parse(written)).toMatchObject({
      feedId: 'f1',
      surface: 'related',
      relatedToPinId: 'p9',
      pins: [{ pinId: 'p1', position: 25, features: { a: 1, b: 2 }, probabilities: { click: 0.5 } }, { pinId: 'p2' }],
    })
  })

  it('shows the rank of a pin in each source, and what moved it', async () => {
    await record(
      aFeed('f1', 'ada', {
        sourceRanks: bytesOf(Uint16Array.of(4, 0, 2)),
        sourceScores: bytesOf(Float32Array.of(0.5, 12, 0.25)),
        retrievalRanks: bytesOf(Uint16Array.of(9, 1)),
        retrievalScores: bytesOf(Float32Array.of(0.125, 2)),
        moves: {
          reasons: ['spacing/same-creator'],
          reasonIndices: Uint8Array.of(0),
          pins: bytesOf(Uint16Array.of(1)),
          from: bytesOf(Uint16Array.of(0)),
          to: bytesOf(Uint16Array.of(1)),
        },
      }),
    )
    await runWhy('ada', { data, pin: 'p2' }, terminal)
    expect(written).toContain('found by trending (1., score 12.00), popularity (3., score 0.2500)\n')
    expect(written).toContain('candidate 2, retrieval score 2.000\n')
    expect(written).toContain('moved by spacing/same-creator from 0 to 1\n')
  })

  it('shows what exploration added to the utility', async () => {
    await record(aFeed('f1', 'ada', { exploration: bytesOf(Float32Array.of(0.25, -0.125)) }))
    await runWhy('ada', { data }, terminal)
    expect(written).toContain('utility 1.500 + 0.250 by exploration  click')
    written = ''
    await runWhy('ada', { data, pin: 'p2' }, terminal)
    expect(written).toContain('p2 at 26, utility 0.7500 − 0.1250 by exploration\n')
  })

  it('shows why a sampled candidate was not shown', async () => {
    const unshown = {
      reasons: [
        { stage: 'seen', reason: 'seen', candidates: 7, sampled: 1 },
        { stage: 'page', reason: 'below-page', candidates: 3, sampled: 1 },
      ],
      pinIds: ['p5', 'p6'],
      reasonIndices: Uint8Array.of(0, 1),
      foundBy: bytesOf(Uint32Array.of(1, 2)),
      sourceRanks: bytesOf(Uint16Array.of(3, 8)),
      sourceScores: bytesOf(Float32Array.of(2, 1)),
      retrievalRanks: bytesOf(Uint16Array.of(30, 40)),
      retrievalScores: bytesOf(Float32Array.of(0.5, 0.25)),
      utilities: bytesOf(Float32Array.of(NaN, 0.125)),
    }
    await record(aFeed('f1', 'ada', { unshown }))
    await runWhy('ada', { data }, terminal)
    expect(written).toMatch(/not shown .*\n {2}seen: seen +1 of 7 {2}p5\n {2}page: below-page +1 of 3 {2}p6\n/)
    written = ''
    await runWhy('ada', { data, pin: 'p6' }, terminal)
    expect(written).toContain('p6 was not shown: page removed it (below-page), utility 0.1250\n')
    expect(written).toContain('found by popularity (9., score 1.000)\n')
    expect(written).not.toContain('p1')
    written = ''
    await runWhy('ada', { data, pin: 'p5', json: true }, terminal)
    expect(JSON.parse(written)).toMatchObject({
      pins: [],
      unshown: { pins: [{ pinId: 'p5', stage: 'seen', samplingProbability: 1 / 7, utility: null }] },
    })
    await expect(runWhy('ada', { data, pin: 'p8' }, terminal)).rejects.toThrow(
      /does not contain p8; it contains p1, p2; of the 10 candidates that were not shown, 2 are recorded, and this pin is not among them/,
    )
  })

  it('reports missing feeds and pins', async () => {
    await expect(runWhy('ada', { data }, terminal)).rejects.toThrow(/holds no feed of ada/)
    await record(aFeed('f1', 'ada'))
    await expect(runWhy('ada', { data, feed: 'f7' }, terminal)).rejects.toThrow(/holds no feed f7 of ada/)
    await expect(runWhy('ada', { data, pin: 'p7' }, terminal)).rejects.toThrow(
      /does not contain p7; it contains p1, p2/,
    )
    await expect(runWhy('a b', { data }, terminal)).rejects.toThrow(/the user id/)
  })

  it('shows a feed that was not ranked', async () => {
    const empty = new Uint8Array(0)
    const without = { featureNames: [], features: empty, actions: [], probabilities: empty, modelVersion: '' }
    await record(aFeed('f1', 'ada', without))
    await runWhy('ada', { data }, terminal)
    expect(written).toContain('model none')
    expect(written).toMatch(/p1 {2}utility 1\.500 {4}from popularity/)
  })

  it('A26: refuses an erased user by name, and shows feeds from after the user came back', async () => {
    await record(aFeed('f1', 'ada'), aFeed('f2', 'bob'))
    await runUsersErase('ada', { data }, terminal)
    written = ''
    const asked = runWhy('ada', { data }, terminal)
    await expect(asked).rejects.toThrow(/ada was erased at 20/)
    expect(await asked.catch((error: unknown) => describeFailure(error))).toMatchObject({ exitCode: 1 })
    await expect(runWhy('ada', { data, feed: 'f1' }, terminal)).rejects.toThrow(/ada was erased/)
    expect(written).toBe('')
    await runWhy('bob', { data }, terminal)
    expect(written).toContain('feed f2 of bob')
    await record(aFeed('f3', 'ada', { atMs: Date.now() + 60_000 }))
    await runWhy('ada', { data }, terminal)
    expect(written).toContain('feed f3 of ada')
  })
})
