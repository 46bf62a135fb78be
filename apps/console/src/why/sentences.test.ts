import { describe, expect, it } from 'vitest'
import type { ExplainedAbsence, ExplainedPin } from '../api/blender.ts'
import { featureInWords } from './names.ts'
import { absenceInWords, percent, seedsInWords, sentencesFor as sentencesOf, signed } from './sentences.ts'

const aPin: ExplainedPin = {
  ...{ pinId: 'p', position: 3, utility: 0.2, propensity: 1, facts: [], ordering: [], notes: [], moves: [] },
  sources: [
    { source: 'popularity', rank: 40, seeds: [] },
    { source: 'co-occurrence', rank: 2, seeds: [] },
  ],
  heads: [
    { head: 'click', value: 0.3, factor: 1, utilityPart: 0.1 },
    { head: 'save', value: 0.044, factor: 1, utilityPart: 0.18 },
  ],
  features: [
    { name: 'topic_affinity', value: 1, utilityContribution: 0.12, headContributions: [] },
    { name: 'pin_age', value: 9, utilityContribution: -0.02, headContributions: [] },
  ],
}

const titleOf = (pinId: string): string => (pinId === 's' ? 'Red apple' : '')
const sentencesFor = (pin: ExplainedPin, because: Parameters<typeof sentencesOf>[1]) =>
  sentencesOf(pin, because, titleOf)

describe('why a pin is here', () => {
  it('names the source with the best rank, the prediction that counts most, and what speaks for and against it', () => {
    expect(sentencesFor(aPin, null)).toEqual([
      'It was found by what people act on together with the pins you acted on, as number 3 there, and by 1 more source.',
      'The chance that you save it is 4.4 %, says the model.',
      'What speaks for it most is how much you like this topic (+0.120).',
      'What speaks against it most is the age of the pin (−0.020).',
    ])
  })

  it('begins with the action that the source started from', () => {
    const seed = { pinId: 's', action: 'ACTION_SAVE', occurredAtMs: 0 }
    const because = { seed, source: 'pixie-walk', others: [] }
    expect(sentencesFor(aPin, because)[0]).toBe('You saved Red apple: pixie-walk started from that.')
    const others = [{ ...seed, pinId: 't', action: 'ACTION_CLICK' }]
    expect(sentencesFor(aPin, { ...because, others })[0]).toBe(
      'You saved Red apple: pixie-walk started from that, and from 1 more of your actions.',
    )
    expect(seedsInWords([seed, ...others, seed], titleOf, 2)).toBe('you saved Red apple, you clicked t, 1 more')
  })

  it('adds up what the ordering moved', () => {
    const moves = [
      { why: 'diversity/similar', from: 9, to: 3 },
      { why: 'caps/over', from: 3, to: 4 },
    ]
    expect(sentencesFor({ ...aPin, moves }, null).at(-1)).toBe(
      'The ordering moved it up 5 places in all, mostly because the page should not look all the same.',
    )
    expect(sentencesFor({ ...aPin, moves: [{ why: 'caps', from: 3, to: 3 }] }, null)).toHaveLength(4)
  })

  it('says when exploration outweighs what is known', () => {
    expect(sentencesFor({ ...aPin, exploration: 0.7 }, null).join(' ')).toContain('exploration gave it +0.700')
    expect(sentencesFor({ ...aPin, exploration: 0.1 }, null).join(' ')).not.toContain('exploration')
  })

  it('has sentences for a page that was not ranked', () => {
    expect(sentencesFor({ ...aPin, heads: [], features: [], sources: [] }, null)).toEqual([])
  })
})

describe('why a pin is not here', () => {
  const absence: ExplainedAbsence = {
    ...{ pinId: 'p', wasCandidate: true, stage: 'page', reason: 'full', sources: [], text: 'text' },
    ...{ utility: 0.1, lastUtility: 0.25, retrievalRank: 11 },
  }

  it('says where it fell, with the numbers', () => {
    expect(absenceInWords(absence, 'Fox')).toEqual([
      'Fox was found, as number 12 of all candidates.',
      'It fell at page (full): the page was full.',
      'Its utility was 0.100; the last pin of the page had 0.250.',
    ])
  })

  it('says that no source found it', () => {
    expect(absenceInWords({ ...absence, wasCandidate: false, text: '' }, 'Fox')).toEqual([
      'Fox was not considered: no source found it for you.',
    ])
  })
})

describe('numbers and names', () => {
  it('are written for people', () => {
    expect([percent(0.0442), percent(0.34), percent(0.0001), percent(0)]).toEqual(['4.4 %', '34 %', '< 0.1 %', '0.0 %'])
    expect([signed(0.5), signed(-1.5), signed(0.0012)]).toEqual(['+0.500', '−1.50', '+0.0012'])
  })

  it.each([
    ['user_creator_save_rate', 'your rate of saves on this creator'],
    ['topic_click_rate_recent', 'your rate of clicks on this topic lately'],
    ['user_hide_rate', 'the rate of hides of yours'],
    ['pin_smoothed_save_rate', "everybody's rate of saves on this pin"],
    ['creator_overall_click_rate', "everybody's rate of clicks on this creator"],
    ['source_rank.pin2vec', 'its rank in pin2vec'],
    ['a_new_feature', 'a new feature'],
  ])('of the feature %s: %s', (name, words) => {
    expect(featureInWords(name)).toBe(words)
  })
})
