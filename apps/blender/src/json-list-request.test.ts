import { describe, expect, test } from 'vitest'
import { rankRequestFromJson, searchRequestFromJson } from './json-list-request.ts'
import { jsonFromQuery } from './json-request.ts'

const filter = { topicIds: ['tea'], maxAgeMs: 1000, seenPinIds: ['p3'], userAge: 18, includeOwnPins: true }

describe('the filter of a list in JSON', () => {
  test('is read by calls that rank a list and that search by a picture', () => {
    expect(rankRequestFromJson({ pinIds: ['p'], filter })).toMatchObject({ pinIds: ['p'], filter })
    expect(searchRequestFromJson({ pinId: 'p', filter })).toMatchObject({ pinId: 'p', filter })
    expect(rankRequestFromJson({ pinIds: ['p'] }).filter).toBeUndefined()
    expect(searchRequestFromJson({ pinId: 'p' }).filter).toBeUndefined()
  })

  test('is read from a query string', () => {
    const given = jsonFromQuery({ pinId: 'p', topic: 'tea', userAge: '18' })
    expect(searchRequestFromJson(given).filter).toMatchObject({ topicIds: ['tea'], userAge: 18 })
  })

  test('refuses a wrong type and an unknown field, naming it', () => {
    const invalid = (message: string): unknown => expect.objectContaining({ code: 'CALL_INVALID_ARGUMENT', message })
    expect(() => rankRequestFromJson({ filter: { topicIds: 'tea' } })).toThrow(
      invalid(expect.stringMatching(/^filter\.topicIds: is the string "tea"/) as string),
    )
    expect(() => searchRequestFromJson({ filter: { topics: [] } })).toThrow(
      invalid(expect.stringMatching(/^filter\.topics: is not a field/) as string),
    )
  })
})
