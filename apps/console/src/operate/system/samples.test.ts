import { describe, expect, it } from 'vitest'
import { momentsOf, summed, type ServiceSample, type ServicesAnswer } from './samples.ts'

const aSample = (given: Partial<ServiceSample> = {}): ServiceSample => ({
  ...{ startedAtMs: 0, memoryBytes: 100, heapBytes: null, cpuSeconds: null, eventLoopP99Ms: null, lag: {}, events: {} },
  ...{
    feeds: {},
    feedSeconds: null,
    freshnessSeconds: null,
    records: {},
    failingPartitions: null,
    shed: null,
    errors: [],
  },
  ...given,
})
const anAnswer = (atMs: number, ...samples: readonly (ServiceSample | null)[]): ServicesAnswer => ({
  atMs,
  services: samples.map((sample, at) => ({
    ...{ name: `s${at}`, operations: `http://s${at}`, version: '', reasons: [], sample },
    state: sample === null ? 'down' : 'ready',
  })),
})
const histogram = (fast: number, slow: number) => ({
  ...{ count: fast + slow, sum: 0 },
  buckets: [
    { upTo: 0.1, count: fast },
    { upTo: 1, count: fast + slow },
    { upTo: null, count: fast + slow },
  ],
})

describe('figures over time', () => {
  it('are rates of all processes between two answers', () => {
    const [moment] = momentsOf([
      anAnswer(0, aSample({ events: { accepted: 10, BAD: 5 } }), aSample({ feeds: { NONE: 4 }, lag: { blender: 2 } })),
      anAnswer(
        2_000,
        aSample({ events: { accepted: 30, BAD: 9 } }),
        aSample({ feeds: { NONE: 7, PARTIAL: 1 }, lag: { blender: 3 } }),
      ),
    ])
    expect(moment).toMatchObject({ eventsPerSecond: 10, feedsPerSecond: 2, memoryBytes: 200, lag: 3 })
  })

  it('count a process that began again from zero, and none that is down or new', () => {
    const before = anAnswer(0, aSample({ events: { accepted: 100 } }), null)
    const [moment] = momentsOf([
      before,
      anAnswer(1_000, aSample({ events: { accepted: 3 } }), aSample({ events: { accepted: 50 } })),
    ])
    expect(moment?.eventsPerSecond).toBe(3)
    expect(momentsOf([before, anAnswer(1_000, null, null)])[0]).toMatchObject({
      ...{ eventsPerSecond: null, memoryBytes: null, lag: null, feedP50Ms: null },
    })
  })

  it('are quantiles of what was measured in between', () => {
    const answers = [
      anAnswer(0, aSample({ feedSeconds: histogram(1_000, 0) })),
      anAnswer(1_000, aSample({ feedSeconds: histogram(1_000, 10) })),
    ]
    expect(momentsOf(answers)[0]?.feedP50Ms).toBeCloseTo(550)
  })

  it('sum counts by name', () => {
    const { services } = anAnswer(0, aSample({ feeds: { NONE: 1 } }), null, aSample({ feeds: { NONE: 2, PARTIAL: 3 } }))
    expect(summed(services, ({ feeds }) => feeds)).toEqual({ NONE: 3, PARTIAL: 3 })
  })
})
