import { describe, expect, it } from 'vitest'
import { headsOf, metricsOverTime, type ModelJson } from './history.ts'

const aModel = (
  version: string,
  trainedAt: string,
  logLosses: Readonly<Record<string, number>>,
  auc?: number,
): ModelJson => ({
  ...{ surface: 'home', version, stage: 'retired', share: 0, reason: '', planHash: '', parentVersion: null },
  ...{ trainingRows: 1, at: trainedAt, trainedAt, ageMs: 0 },
  results: Object.entries(logLosses).map(([head, logLoss]) => ({ head, logLoss, servingLogLoss: null })),
  metrics: auc === undefined ? null : { save: { auc, calibration: 1 } },
})

describe('the metrics of models over time', () => {
  const models = [
    aModel('b', '2026-02-02T00:00:00Z', { save: 0.2, click: 0.3 }, 0.8),
    aModel('a', '2026-01-01T00:00:00Z', { save: 0.25 }),
  ]

  it('come in the order of training, with gaps where a model lacks a head', () => {
    expect(metricsOverTime(models, 'logLoss')).toEqual({
      names: ['a', 'b'],
      heads: ['click', 'save'],
      series: [
        [null, 0.3],
        [0.25, 0.2],
      ],
    })
  })

  it('leave out models without the metric', () => {
    expect(metricsOverTime(models, 'auc')).toMatchObject({ names: ['b'], series: [[null], [0.8]] })
    expect(metricsOverTime([], 'auc').names).toEqual([])
    expect(headsOf(models[0]!)[1]).toMatchObject({ head: 'save', auc: 0.8, servingLogLoss: null })
  })
})
