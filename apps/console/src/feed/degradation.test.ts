import { describe, expect, it } from 'vitest'
import { degradationInWords } from './degradation.ts'

describe('degradation in words', () => {
  it.each([
    ['NONE', [], null],
    ['', [], null],
    ['EXHAUSTED', ['FEED_ALL_SEEN'], null],
    ['PARTIAL', [], 'Made without a part of the pipeline'],
    ['PARTIAL', ['FEED_ALL_SEEN'], 'Made without a part of the pipeline'],
    [
      'PARTIAL',
      ['FEED_LOCALE_UNKNOWN', 'FEED_NOTHING_ELIGIBLE', 'TOKEN_LOST'],
      'Made without a part of the pipeline: no pin is in this language; TOKEN_LOST',
    ],
    ['RETRIEVAL_ORDER', ['CALL_DEADLINE_EXCEEDED'], 'Not ranked: the ranker does not answer'],
    ['A_NEWER_ONE', ['X'], 'Made without a part of the pipeline'],
  ])('%s with %j', (degradation, reasons, words) => {
    expect(degradationInWords(degradation, reasons)).toBe(words)
  })
})
