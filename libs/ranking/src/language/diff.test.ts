import { describe, expect, it } from 'vitest'
import { compileSpec } from './compile.ts'
import { diffPlans, formatChange } from './diff.ts'
import { testCatalogue } from './testing.ts'

const base = `spec home
input pin.saves, pin.impressions: scalar
function smooth(acted, seen) = (acted + 1) / (seen + 20)
feature rate = smooth(pin.saves, pin.impressions)
feature twice = 2 * rate
layer trunk = mlp(concat(rate, twice), hidden: [4])
head save: probability = linear(trunk)
utility = 4 * save
`

function planOf(text: string) {
  return compileSpec(text, { file: 'a.rank', catalogue: testCatalogue, inputs: null, readFile: () => '' }).plan
}

const changes = (text: string) => diffPlans(planOf(base), planOf(text)).map(formatChange)

describe('the difference of two plans', () => {
  it('is empty for another layout, another order and functions that compute the same', () => {
    const other = base
      .replace(
        'feature rate = smooth(pin.saves, pin.impressions)\nfeature twice = 2 * rate',
        'feature twice = 2 * rate\nfeature unused = 3\nfeature rate = (pin.saves + 1) /\n  (pin.impressions + 20)',
      )
      .replace(/function.*\n/, '')
    expect(changes(other)).toEqual([])
  })

  it('names the statement that changed, not those that read it', () => {
    expect(changes(base.replace('acted + 1', 'acted + 2').replace('4 * save', '3 * save'))).toEqual([
      '~ rate: (pin.saves + 1) / (pin.impressions + 20) → (pin.saves + 2) / (pin.impressions + 20)',
      '~ utility of save: 4 → 3',
    ])
  })

  it('names what is new and what is gone', () => {
    const other = base
      .replace('feature twice = 2 * rate', 'feature half = rate / 2')
      .replace('concat(rate, twice)', 'concat(rate, half)')
      .replace('utility', 'first phase keep 10 by rate\nutility')
    expect(changes(other)).toEqual([
      '- twice: 2 * rate',
      '~ trunk: mlp(concat(rate, twice), hidden: [4]) → mlp(concat(rate, half), hidden: [4])',
      '+ half: rate / 2',
      '+ first phase: keep 10 by rate',
    ])
  })
})
