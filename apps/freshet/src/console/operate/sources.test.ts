import { bytesOf } from '@freshet/contracts/bytes/columns'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import { actRecord } from '@freshet/trainer/joiner/served.fixture'
import { describe, expect, it } from 'vitest'
import { aFeedRecord } from '../../experiments/simulated.fixture.ts'
import { parseMetrics } from './metrics-text.ts'
import { readSources, sourceCosts } from './sources.ts'

const nowMs = Date.UTC(2026, 5, 1)
const sources = ['popular', 'similar', 'fresh']

/** A feed of three pins: the first is of popular and similar, the second of similar, the third of fresh. */
function aFeed(userId: string, feed: number, atMs: number) {
  const pinIds = [0, 1, 2].map((pin) => `${userId}-${feed}-${pin}`)
  return aFeedRecord({
    ...{ feedId: `${userId}-${feed}`, userId, atMs, pinIds, sources },
    foundBy: bytesOf(Uint32Array.of(0b011, 0b010, 0b100)),
    utilities: bytesOf(Float32Array.of(1, 0.5, NaN)),
  })
}

async function aLog(feeds: number, users = ['ada', 'ben', 'cy']) {
  const clock = createVirtualClock(nowMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(2))
  for (let feed = 0; feed < feeds; feed++)
    for (const userId of users) await log.append('feeds-served.v1', [aFeed(userId, feed, nowMs - 60_000 + feed)])
  return log
}

const options = { sinceMs: nowMs - 3_600_000, maxFeeds: 1_000, windowMs: 3_600_000, onError: () => undefined }
const signal = new AbortController().signal

describe('the shares of sources', () => {
  it('divide each pin and each save among the sources that found it', async () => {
    const log = await aLog(2)
    const act = (pin: number, action: 'save' | 'click' | 'hide') =>
      actRecord({ userId: 'ada', pinId: `ada-0-${pin}`, action, atMs: nowMs - 50_000, feedId: 'ada-0' })
    await log.append('engagements.v1', [act(0, 'save'), act(1, 'save'), act(1, 'click'), act(2, 'hide')])

    const report = await readSources({ ...options, log, signal })
    expect(report).toMatchObject({ feeds: 6, users: 3, pins: 18, saves: 2, isCut: false })
    const bySource = Object.fromEntries(report.sources.map(({ source, ...sums }) => [source, sums]))
    expect(bySource['similar']).toMatchObject({ pins: 12, alone: 6, credit: 9, saves: 2, saveCredit: 1.5, clicks: 1 })
    expect(bySource['popular']).toMatchObject({ pins: 6, alone: 0, credit: 3, saves: 1, saveCredit: 0.5, utility: 1 })
    expect(bySource['fresh']).toMatchObject({ pins: 6, alone: 6, credit: 6, saves: 0, hides: 1, utility: null })
    expect(report.sources.reduce((sum, { credit }) => sum + credit, 0)).toBe(report.pins)

    const names = report.sources.map(({ source }) => source)
    const both = report.overlap[names.indexOf('popular')]?.[names.indexOf('similar')]
    expect(both).toBe(6)
    expect(report.overlap[names.indexOf('fresh')]?.[names.indexOf('popular')]).toBe(0)
  })

  it('read only the newest feeds, and say so', async () => {
    const report = await readSources({ ...options, log: await aLog(20, ['ada']), maxFeeds: 5, signal })
    expect(report.feeds).toBe(5)
    expect(report.isCut).toBe(true)
    expect(report.fromMs).toBe(nowMs - 60_000 + 15)
  })

  it('are empty in an empty log', async () => {
    const report = await readSources({ ...options, log: await aLog(0), signal })
    expect(report).toMatchObject({ feeds: 0, fromMs: null, sources: [], isCut: false })
  })

  it('cost what the metrics of candidate services say', () => {
    const text = `
freshet_source_seconds_sum{source="popular"} 0.02
freshet_source_seconds_count{source="popular"} 10
freshet_source_seconds_sum{source="walk"} 0.5
freshet_source_seconds_count{source="walk"} 10
freshet_sources_total{source="walk",outcome="answered"} 8
freshet_sources_total{source="walk",outcome="timed-out"} 2
`
    expect(sourceCosts(parseMetrics(text))).toEqual([
      { source: 'walk', queries: 10, meanMs: 50, outcomes: { answered: 8, 'timed-out': 2 } },
      { source: 'popular', queries: 10, meanMs: 2, outcomes: {} },
    ])
  })
})
