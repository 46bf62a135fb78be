import { describe, expect, it } from 'vitest'
import { createFreshness, formatMs, percentile } from './freshness.ts'

describe('percentile', () => {
  it('is the value that the share does not exceed', () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at)
    expect(percentile(values, 0.5)).toBe(50)
    expect(percentile(values, 0.99)).toBe(99)
    expect(percentile([7], 0.99)).toBe(7)
    expect(percentile([], 0.5)).toBeNull()
  })
})

describe('freshness', () => {
  it('follows the newest action, and counts each that reached the feed once', () => {
    const freshness = createFreshness()
    freshness.begin('one', 'save')
    freshness.note('one', { token: 'e0-1', acceptedMs: 4 })
    freshness.begin('two', 'click')
    freshness.note('one', { feedMs: 40 })
    freshness.note('one', { feedMs: 41 })
    expect(freshness.read()).toMatchObject({ last: { id: 'two', feedMs: null }, count: 1, p50Ms: 40 })
    freshness.note('two', { feedMs: 20 })
    expect(freshness.read()).toMatchObject({ last: { id: 'two', feedMs: 20 }, count: 2, p50Ms: 20, p99Ms: 40 })
  })

  it('does not count an action that failed', () => {
    const freshness = createFreshness()
    freshness.begin('one', 'save')
    freshness.note('one', { hasFailed: true })
    expect(freshness.read()).toMatchObject({ last: { hasFailed: true }, count: 0, p50Ms: null })
  })

  it('writes milliseconds for people', () => {
    expect(formatMs(4.26)).toBe('4.3 ms')
    expect(formatMs(42.6)).toBe('43 ms')
  })
})
