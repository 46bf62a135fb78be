import { describe, expect, test } from 'vitest'
import { feedRequestFromJson, jsonFromQuery, relatedRequestFromJson } from './json-request.ts'

const filter = {
  topicIds: ['tea'],
  creatorIds: ['Ann Lee'],
  boardIds: ['b'],
  maxAgeMs: 1000,
  excludePinIds: ['p1', 'p2'],
  seenPinIds: ['p3'],
  allowedSafetyLabels: ['adult'],
  userAge: 18,
  includeOwnPins: true,
}

describe('the filter of a request in JSON', () => {
  test('is read with the switches of sources and the mark of a prefetch', () => {
    const switches = { onlySources: ['popularity'], withoutSources: ['trending'] }
    expect(feedRequestFromJson({ userId: 'ada', filter, ...switches, prefetch: true })).toMatchObject({
      filter,
      ...switches,
      prefetch: true,
    })
    expect(relatedRequestFromJson({ pinId: 'p', filter, ...switches })).toMatchObject({ filter, ...switches })
    expect(feedRequestFromJson({ userId: 'ada', filter: {} }).filter).toMatchObject({ topicIds: [], seenPinIds: [] })
  })

  test('is read from a query string, in which lists are repeated names', () => {
    const query = {
      userId: 'ada',
      topic: 'tea',
      creator: 'Ann Lee',
      board: 'b',
      exclude: ['p1', 'p2'],
      seen: 'p3',
      safetyLabel: 'adult',
      maxAgeMs: '1000',
      userAge: '18',
      includeOwnPins: 'true',
      onlySource: 'popularity',
      prefetch: 'false',
    }
    expect(feedRequestFromJson(jsonFromQuery(query))).toMatchObject({
      userId: 'ada',
      filter,
      onlySources: ['popularity'],
      withoutSources: [],
      prefetch: false,
    })
    expect(feedRequestFromJson(jsonFromQuery({ userId: 'ada' })).filter).toBeUndefined()
  })

  test.each([
    [{ filter: 3 }, 'filter: is 3; give an object'],
    [{ filter: { topics: [] } }, 'filter.topics: is not a field; the fields are topicIds, creatorIds'],
    [{ filter: { topicIds: 'tea' } }, 'filter.topicIds: is the string "tea"; give a list of strings'],
    [{ filter: { seenPinIds: ['a', 7] } }, 'filter.seenPinIds[1]: is 7; give a string'],
    [{ filter: { userAge: '18' } }, 'filter.userAge: is the string "18"; give a whole number'],
    [{ filter: { includeOwnPins: 1 } }, 'filter.includeOwnPins: is 1; give true or false'],
    [{ onlySources: {} }, 'onlySources: is an object; give a list of strings'],
    [{ prefetch: 'yes' }, 'prefetch: is the string "yes"; give true or false'],
    [jsonFromQuery({ userAge: 'old' }), 'filter.userAge: is the string "old"; give a whole number'],
  ])('names the field of %j', (body, message) => {
    expect(() => feedRequestFromJson({ userId: 'ada', ...body })).toThrow(message)
  })
})
