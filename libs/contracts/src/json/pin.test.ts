import { aCataloguePin } from '@freshet/domain/testing'
import { describe, expect, it } from 'vitest'
import { decodePinChange, encodePinChange } from '../codecs/pin.ts'
import { parsePinJson, pinToJson } from './pin.ts'

const full = {
  pinId: 'p1',
  title: 'Red shoes\nfor winter',
  description: 'Warm.',
  topics: ['shoes', 'red'],
  creatorId: 'c1',
  createdAt: '2026-01-31T12:00:00.000Z',
  locale: 'de-DE',
  imageUrl: 'https://images.example/p1.jpg',
  visualEmbedding: [0.5, -0.25],
  availableFrom: '2026-01-31T12:00:00.000Z',
  expiresAt: '2026-02-28T12:00:00.000Z',
  safetyLabels: ['adult', 'graphic violence'],
  minAge: 18,
  imageSignature: 'p:8f3a',
  version: 1_769_860_800_000,
}

const early = { ...full, expiresAt: full.availableFrom }

function problemOf(value: unknown) {
  const parsed = parsePinJson(value, 'pins[2]')
  if (parsed.ok) throw new Error('was accepted')
  return parsed.problem
}

describe('parsePinJson', () => {
  it('reads a full pin, and writes it back as it was', () => {
    const parsed = parsePinJson(full, '')
    expect(parsed.ok && parsed.change).toMatchObject({
      kind: 'upsert',
      pin: { pinId: 'p1', createdAtMs: Date.UTC(2026, 0, 31, 12), visualEmbedding: new Float32Array([0.5, -0.25]) },
    })
    expect(parsed.ok && pinToJson(parsed.change)).toEqual(full)
    if (parsed.ok) expect(decodePinChange('p1', encodePinChange(parsed.change))).toEqual(parsed.change)
  })

  it('reads a pin that has only an id', () => {
    const parsed = parsePinJson({ pinId: 'p' }, '')
    expect(parsed.ok && parsed.change).toEqual({ kind: 'upsert', pin: aCataloguePin('p') })
  })

  it('reads a removal', () => {
    expect(parsePinJson({ pinId: 'p', deleted: true }, '')).toEqual({
      ok: true,
      change: { kind: 'delete', pinId: 'p' },
    })
    expect(parsePinJson({ pinId: 'p', deleted: false }, '')).toMatchObject({ change: { kind: 'upsert' } })
    expect(parsePinJson({ pinId: 'p', deleted: true, version: 7 }, '')).toMatchObject({ change: { version: 7 } })
  })

  it.each([
    ['no object', 1, 'EVENT_SHAPE', 'pins[2]'],
    ['no id', {}, 'EVENT_FIELD_MISSING', 'pins[2].pinId'],
    ['version 0', { ...full, version: 0 }, 'EVENT_FIELD_VALUE', 'pins[2].version'],
    ['a version beyond 2^53', { ...full, version: 2 ** 53 }, 'EVENT_FIELD_VALUE', 'pins[2].version'],
    ['a version as text', { ...full, version: '7' }, 'EVENT_FIELD_TYPE', 'pins[2].version'],
    ['an unknown field', { ...full, price: 3 }, 'EVENT_FIELD_UNKNOWN', 'pins[2].price'],
    ['a title of 501', { ...full, title: 'x'.repeat(501) }, 'EVENT_TEXT_INVALID', 'pins[2].title'],
    ['NUL in a title', { ...full, title: 'a\u0000b' }, 'EVENT_TEXT_INVALID', 'pins[2].title'],
    ['a lone surrogate', { ...full, description: 'a\udfff' }, 'EVENT_TEXT_INVALID', 'pins[2].description'],
    ['a number for a title', { ...full, title: 3 }, 'EVENT_FIELD_TYPE', 'pins[2].title'],
    ['a string for topics', { ...full, topics: 'red' }, 'EVENT_FIELD_TYPE', 'pins[2].topics'],
    ['33 topics', { ...full, topics: Array(33).fill('t') }, 'EVENT_FIELD_VALUE', 'pins[2].topics'],
    ['an empty topic', { ...full, topics: ['a', ''] }, 'EVENT_FIELD_MISSING', 'pins[2].topics[1]'],
    ['no time', { ...full, createdAt: 'now' }, 'EVENT_TIME_INVALID', 'pins[2].createdAt'],
    ['no locale', { ...full, locale: 'de DE' }, 'EVENT_FIELD_VALUE', 'pins[2].locale'],
    ['a script for an image', { ...full, imageUrl: 'javascript:1' }, 'EVENT_FIELD_VALUE', 'pins[2].imageUrl'],
    ['an empty embedding', { ...full, visualEmbedding: [] }, 'EMBEDDING_INVALID', 'pins[2].visualEmbedding'],
    ['an embedding of zeros', { ...full, visualEmbedding: [0, 0] }, 'EMBEDDING_INVALID', 'pins[2].visualEmbedding'],
    ['NaN', { ...full, visualEmbedding: [1, Number.NaN] }, 'EMBEDDING_INVALID', 'pins[2].visualEmbedding[1]'],
    ['1e999', { ...full, visualEmbedding: [Infinity] }, 'EMBEDDING_INVALID', 'pins[2].visualEmbedding[0]'],
    ['more than a float', { ...full, visualEmbedding: [1e39] }, 'EMBEDDING_INVALID', 'pins[2].visualEmbedding[0]'],
    ['a string', { ...full, visualEmbedding: ['1'] }, 'EVENT_FIELD_TYPE', 'pins[2].visualEmbedding[0]'],
    ['no time of availability', { ...full, availableFrom: 3 }, 'EVENT_FIELD_TYPE', 'pins[2].availableFrom'],
    ['an expiry in the past of availability', early, 'EVENT_FIELD_VALUE', 'pins[2].expiresAt'],
    ['17 labels', { ...full, safetyLabels: Array(17).fill('l') }, 'EVENT_FIELD_VALUE', 'pins[2].safetyLabels'],
    ['an empty label', { ...full, safetyLabels: [''] }, 'EVENT_FIELD_MISSING', 'pins[2].safetyLabels[0]'],
    ['a label of 65', { ...full, safetyLabels: ['x'.repeat(65)] }, 'EVENT_TEXT_INVALID', 'pins[2].safetyLabels[0]'],
    ['an age of 100', { ...full, minAge: 100 }, 'EVENT_FIELD_VALUE', 'pins[2].minAge'],
    ['half a year', { ...full, minAge: 0.5 }, 'EVENT_FIELD_VALUE', 'pins[2].minAge'],
    ['a signature of 65', { ...full, imageSignature: 'x'.repeat(65) }, 'EVENT_TEXT_INVALID', 'pins[2].imageSignature'],
    ['an empty signature', { ...full, imageSignature: '' }, 'EVENT_FIELD_MISSING', 'pins[2].imageSignature'],
    ['a string for deleted', { ...full, deleted: 'true' }, 'EVENT_FIELD_TYPE', 'pins[2].deleted'],
  ])('names %s', (_name, value, code, field) => {
    expect(problemOf(value)).toMatchObject({ code, field })
  })

  it('A17: accepts names with blanks and times long ago', () => {
    const value = {
      pinId: 'p',
      topics: ['Home Decor', '漢字 と'],
      creatorId: 'Ada Lovelace',
      createdAt: '1950-06-01T00:00:00Z',
    }
    const parsed = parsePinJson(value, '')
    expect(parsed).toMatchObject({
      ok: true,
      change: {
        pin: { topics: value.topics, creatorId: value.creatorId, createdAtMs: Date.UTC(1950, 5, 1) },
      },
    })
    if (!parsed.ok) return
    expect(decodePinChange('p', encodePinChange(parsed.change))).toEqual(parsed.change)
    expect(parsePinJson(pinToJson(parsed.change), '')).toEqual(parsed)
  })

  it('A19: reports every problem', () => {
    const value = {
      pinId: 'a b',
      pin_id: 'x',
      title: 7,
      topics: ['ok', '', 'x'.repeat(129)],
      createdAt: 'now',
      imageUrl: 'no',
      visualEmbedding: [],
    }
    const parsed = parsePinJson(value, 'pins[2]')
    expect(parsed.ok ? [] : parsed.problems.map(({ field, code }) => [field, code])).toEqual([
      ['pins[2].pin_id', 'EVENT_FIELD_UNKNOWN'],
      ['pins[2].pinId', 'EVENT_ID_INVALID'],
      ['pins[2].title', 'EVENT_FIELD_TYPE'],
      ['pins[2].topics[1]', 'EVENT_FIELD_MISSING'],
      ['pins[2].topics[2]', 'EVENT_ID_INVALID'],
      ['pins[2].createdAt', 'EVENT_TIME_INVALID'],
      ['pins[2].imageUrl', 'EVENT_FIELD_VALUE'],
      ['pins[2].visualEmbedding', 'EMBEDDING_INVALID'],
    ])
    expect(parsed.ok ? '' : parsed.problem.message).toBe('pins[2].pin_id is not a field; did you mean pinId?')
  })

  it('A19: counts characters, not UTF-16 code units', () => {
    expect(parsePinJson({ pinId: '😀'.repeat(65), title: '😀'.repeat(500) }, '').ok).toBe(true)
    expect(problemOf({ pinId: 'p', title: '😀'.repeat(501) }).message).toContain('has 501 characters; at most 500')
  })
})
