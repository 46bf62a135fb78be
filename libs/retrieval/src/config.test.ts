import { describe, expect, test } from 'vitest'

import { resolveRetrievalConfig, type RetrievalConfigInput } from './config.ts'
import { RetrievalConfigError } from './errors.ts'

function errorOf(input: unknown): RetrievalConfigError {
  try {
    resolveRetrievalConfig(input as RetrievalConfigInput)
  } catch (error) {
    if (error instanceof RetrievalConfigError) return error
    throw error
  }
  throw new Error('nothing was wrong with it')
}

test('what is not said keeps its default', () => {
  const standard = resolveRetrievalConfig()
  const config = resolveRetrievalConfig({
    maxPins: 5,
    sources: { popularity: { share: 2, parameters: { maxLocales: 3 } } },
  })
  expect(config.maxPins).toBe(5)
  expect(config.maxSessions).toBe(standard.maxSessions)
  expect(config.sources['popularity']).toEqual({
    ...standard.sources['popularity'],
    share: 2,
    parameters: { ...standard.sources['popularity']?.parameters, maxLocales: 3 },
  })
})

describe('refuses', () => {
  test('an unknown source, by name', () => {
    const error = errorOf({ sources: { popularty: {} } })
    expect(error.code).toBe('RETRIEVAL_UNKNOWN_SOURCE')
    expect(error.message).toContain('popularty')
    expect(error.message).toContain('popularity')
  })

  test.each<[string, unknown]>([
    ['maxPins', { maxPins: 0 }],
    ['maxPins', { maxPins: 1.5 }],
    ['maxpins', { maxpins: 7 }],
    ['adaptShares', { adaptShares: 1 }],
    ['sources.popularity.maxCandidates', { sources: { popularity: { maxCandidates: 0 } } }],
    ['sources.popularity.share', { sources: { popularity: { share: NaN } } }],
    ['sources.popularity.weight', { sources: { popularity: { weight: 1 } } }],
    ['sources.popularity.parameters.maxLocales', { sources: { popularity: { parameters: { maxLocales: 'much' } } } }],
    ['sources.popularity.parameters.maxLocales', { sources: { popularity: { parameters: { maxLocales: -1 } } } }],
    ['sources.popularity.parameters.slow', { sources: { popularity: { parameters: { slow: 1 } } } }],
  ])('%s', (name, input) => {
    const error = errorOf(input)
    expect(error.code).toBe('RETRIEVAL_CONFIG_INVALID')
    expect(error.problems).toHaveLength(1)
    expect(error.problems[0]).toContain(name)
  })

  test('all problems at once', () => {
    expect(errorOf({ maxPins: 0, maxSessions: 0, sources: { popularity: { share: -1 } } }).problems).toHaveLength(3)
  })
})
