import type { SpanStart, Tracing } from '@freshet/domain/tracing'
import type { RunRecord, StageRecord } from '@freshet/pipeline/record'
import { expect, test } from 'vitest'
import { recordStages } from './stage-spans.ts'

const ids = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }

function recorded(stages: readonly Partial<StageRecord>[], sampled = true) {
  const spans: { readonly start: SpanStart; readonly failure: unknown; readonly endMs: number | undefined }[] = []
  const tracing: Tracing = {
    records: true,
    entering: (trace) => trace,
    run: (_trace, work) => work(),
    active: () => ({ ...ids, sampled }),
    nowMs: () => 1_000,
    start: (start) => ({
      headers: {},
      set: () => undefined,
      end: (failure, endMs) => void spans.push({ start, failure, endMs }),
    }),
  }
  let startedAtMs = 0
  const all = stages.map((stage) => {
    const record = { outcome: 'ran', candidatesIn: 9, candidatesOut: 9, startedAtMs, tookMs: 1, error: null, ...stage }
    startedAtMs += record.tookMs
    return record as StageRecord
  })
  const record = { pipeline: 'feed', outcome: 'answered', tookMs: startedAtMs, stages: all } as unknown as RunRecord
  recordStages(record, { tracing, alone: new Set(['retrieve', 'rank']) })
  return spans
}

const feed: readonly Partial<StageRecord>[] = [
  { stage: 'retrieve', kind: 'source', tookMs: 5 },
  { stage: 'seen', kind: 'filter', candidatesIn: 9, candidatesOut: 7 },
  { stage: 'hidden', kind: 'filter', candidatesIn: 7, candidatesOut: 4, error: 'STAGE_FAILED' },
  { stage: 'rank', kind: 'scorer', tookMs: 3 },
  { stage: 'explore', kind: 'scorer' },
  { stage: 'draw', kind: 'selector' },
]

test('stages that call other services have a span each, others one for those in a row, at their times', () => {
  const spans = recorded(feed)
  expect(spans.map(({ start, endMs }) => [start.name, start.startMs, endMs])).toEqual([
    ['stage retrieve', 988, 993],
    ['stage filter', 993, 995],
    ['stage rank', 995, 998],
    ['stage score', 998, 999],
    ['stage order', 999, 1_000],
  ])
  expect(spans[1]).toMatchObject({
    failure: 'STAGE_FAILED',
    start: {
      parent: { traceparent: `00-${ids.traceId}-${ids.spanId}-01` },
      attributes: { 'freshet.stages': 2, 'freshet.candidates_in': 9, 'freshet.candidates_out': 4 },
    },
  })
})

test('a request that is not recorded has none', () => {
  expect(recorded(feed, false)).toEqual([])
})
