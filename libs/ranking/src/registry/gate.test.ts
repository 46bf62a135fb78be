import { describe, expect, it } from 'vitest'
import { judge, type HeadComparison } from './gate.ts'

const head = (logLoss: number, given: Partial<HeadComparison> = {}): HeadComparison => ({
  rows: 1_000,
  logLoss,
  servingLogLoss: 0.5,
  meanLogLoss: 0.6,
  differenceError: 0,
  auc: null,
  calibration: null,
  ...given,
})

describe('the gate', () => {
  it.each([
    [
      'better in all heads',
      { save: head(0.4), click: head(0.3) },
      true,
      /^passed the gate: log loss save 0\.4000 \(serving 0\.5000\), click/,
    ],
    ['within the margin', { save: head(0.504) }, true, /^passed/],
    [
      'beyond the margin in one head',
      { save: head(0.4), click: head(0.506) },
      false,
      /^worse by more than 1 %: log loss click 0\.5060 \(serving 0\.5000\)$/,
    ],
    ['beyond the margin, but by chance', { save: head(0.52, { differenceError: 0.03 }) }, true, /^passed/],
    [
      'compared with the mean if nothing served',
      { save: head(0.59, { servingLogLoss: null }) },
      true,
      /\(mean 0\.6000\)/,
    ],
    ['worse than the mean', { save: head(0.7, { servingLogLoss: null }) }, false, /save 0\.7000 \(mean 0\.6000\)/],
    ['worse where nothing happens', { hide: head(0.0003, { servingLogLoss: 0.0001 }) }, true, /^passed/],
    ['not a number', { save: head(Number.NaN) }, false, /^worse/],
    ['without labels', {}, false, /no held-out row/],
  ] as const)('judges a model that is %s', (_, metrics, passed, reason) => {
    expect(judge(new Map(Object.entries(metrics)), 0.01)).toEqual({
      passed,
      reason: expect.stringMatching(reason) as string,
    })
  })
})
