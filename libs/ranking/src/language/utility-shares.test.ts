import { describe, expect, it } from 'vitest'
import type { PlanHead } from '../plan/plan.ts'
import { formatUtilityShares, utilitySharesOf } from './utility-shares.ts'

const head = (name: string, kind: PlanHead['kind'] = 'probability'): PlanHead => ({
  name,
  kind,
  label: name,
  value: name,
  lossWeight: 1,
  calibrate: 'none',
})

const plan = {
  heads: [head('save'), head('hide'), head('dwell', 'amount')],
  utility: [
    { head: 'save', weight: 4 },
    { head: 'hide', weight: -10 },
    { head: 'dwell', weight: 0.1 },
  ],
}

describe('the share of a head in the utility', () => {
  it('counts weight × mean prediction, by magnitude', () => {
    const shares = utilitySharesOf(plan, new Map(Object.entries({ save: 0.1, hide: 0.01, dwell: 5 })))
    expect(shares.map(({ utility }) => utility)).toEqual([0.4, -0.1, 0.5])
    expect(shares.map(({ share }) => share)).toEqual([0.4, 0.1, 0.5])
  })

  it('is not known where a mean prediction is not', () => {
    const shares = utilitySharesOf(plan, new Map(Object.entries({ save: 0.1, hide: 0.01 })))
    expect(shares.map(({ share }) => share)).toEqual([null, null, null])
    expect(shares[0]).toMatchObject({ utility: 0.4 })
    expect(shares[2]).toMatchObject({ meanPrediction: null, utility: null })
  })

  it('is a table in which amounts differ from probabilities', () => {
    const shares = utilitySharesOf(plan, new Map(Object.entries({ save: 0.1, hide: 0.01, dwell: 5 })))
    expect(formatUtilityShares(shares, '80 rows')).toEqual([
      'what each head adds to the utility, by the mean predictions of 80 rows:',
      '  head      weight  mean prediction  weight × mean   share',
      '  P(save)        4              0.1            0.4  40.0 %',
      '  P(hide)      -10             0.01           -0.1  10.0 %',
      '  E[dwell]     0.1                5            0.5  50.0 %',
    ])
  })
})
