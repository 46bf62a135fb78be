import { describe, expect, it } from 'vitest'
import { mapEvent, type ForeignEvent } from './map-event.ts'
import { parseMapping, parseMappingText, readMappingFile } from './mapping-file.ts'
import { defaultMapping, type ConnectorMapping } from './mapping.ts'

const arrivedAtMs = Date.UTC(2026, 0, 31, 12)

function mappingOf(value: unknown): ConnectorMapping {
  const parsed = parseMapping(value)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.mapping
}

function anEvent(document: unknown, more: Partial<ForeignEvent> = {}): ForeignEvent {
  return { document, at: '', eventId: 'e1', arrivedAtMs, ...more }
}

describe('a mapping file', () => {
  it('reports all its mistakes at once, each with its place and what to write instead', () => {
    const parsed = parseMapping({
      default: false,
      segment: {
        identify: 'yes',
        name: [],
        fields: { pin: 'properties.pin', pinId: 7, surface: { first: 'a', unit: 'h', values: { x: null } } },
        events: { 'Pin Loved': 'love', 'Pin Moved': { fields: { boardId: 'a..b' } }, Signup: { merge: {} } },
      },
      cloudevents: [],
    })
    if (parsed.ok) throw new Error('accepted')
    const lines = parsed.problems.map(({ place, message }) => `${place} ${message}`)
    expect(lines).toEqual([
      expect.stringMatching(/^default is not known here; known are cloudevents, segment, json, defaults/),
      expect.stringMatching(/^cloudevents is an array; give an object/),
      expect.stringMatching(/^segment\.events\["Pin Loved"\] is the string "love"; give one of impression, closeup/),
      expect.stringMatching(/^segment\.events\["Pin Moved"\]\.action is missing; give one of/),
      expect.stringMatching(/^segment\.events\["Pin Moved"\]\.fields\.boardId contains an empty name/),
      expect.stringMatching(/^segment\.events\["Signup"\]\.merge\.fromUserId is missing/),
      expect.stringMatching(/^segment\.events\["Signup"\]\.merge\.intoUserId is missing/),
      expect.stringMatching(/^segment\.identify is the string "yes"; give "merge"/),
      expect.stringMatching(/^segment\.name has 0 sources; give 1 to 16/),
      expect.stringMatching(/^segment\.fields\.pin is not known here; known are eventId/),
      expect.stringMatching(/^segment\.fields\.pinId is the number 7; give a path/),
      expect.stringMatching(/^segment\.fields\.surface\.unit is the string "h"; give "ms" or "s"/),
      expect.stringMatching(/^segment\.fields\.surface\.values\["x"\] is null; give a string or a number/),
    ])
  })

  it('that is not JSON names line and column', () => {
    const parsed = parseMappingText('{\n  "segment": {,}\n}')
    expect(parsed.ok ? [] : parsed.problems[0]?.message).toMatch(/is not JSON at line 2, column 15/)
  })

  it('that cannot be read says so', () => {
    expect(() => readMappingFile('/nowhere/mapping.json')).toThrow(
      /mapping\.json has 1 mistake:\n {2}the file cannot be read/,
    )
  })

  it('adds to the default mapping, replaces parts of it, and drops names', () => {
    const { segment } = mappingOf({ segment: { events: { 'Item Loved': 'save', 'Pin Clicked': null } } })
    expect(segment.events.get('Item Loved')).toMatchObject({ action: 'save' })
    expect(segment.events.get('Pin Clicked')).toEqual({ kind: 'drop' })
    expect(segment.events.get('Pin Saved')).toEqual(defaultMapping.segment.events.get('Pin Saved'))
    expect(mappingOf({ defaults: false, segment: { events: { Loved: 'save' } } }).segment.events.size).toBe(1)
  })
})

describe('reading an event by a mapping', () => {
  it('takes the first source with a value, constants, replaced values, times in seconds and ids that are numbers', () => {
    const { json } = mappingOf({
      json: {
        name: 'kind',
        fields: { userId: ['user.id', 'device'], occurredAt: { first: 'ts', unit: 's' } },
        events: {
          loved: {
            action: 'save',
            fields: {
              pinId: '/items/0/pin.id',
              boardId: [{ value: 'loved' }],
              surface: { first: 'screen', values: { 'Home Feed': 'home' } },
              position: 'items.0.rank',
            },
          },
        },
      },
    })
    const document = {
      kind: 'loved',
      user: { id: null },
      device: 'd7',
      ts: 1_769_860_799.5,
      screen: 'Home Feed',
      items: [{ 'pin.id': 42, rank: '3' }],
    }
    expect(mapEvent(anEvent(document), json)).toMatchObject({
      kind: 'engagement',
      parsed: {
        ok: true,
        engagement: {
          userId: 'd7',
          action: 'save',
          subject: { pinId: '42' },
          boardId: 'loved',
          occurredAtMs: 1_769_860_799_500,
          shown: { surface: 'home', position: 3 },
        },
      },
    })
  })

  it('leaves common fields out where the action cannot have them, but keeps a field that the rule itself names', () => {
    const document = { event: 'Pin Clicked', userId: 'u', properties: { pin_id: 'p', board_id: 'b', word: 'w' } }
    expect(mapEvent(anEvent(document), defaultMapping.segment)).toMatchObject({ parsed: { ok: true } })
    const strict = mappingOf({
      segment: { events: { 'Pin Clicked': { action: 'click', fields: { boardId: 'properties.board_id' } } } },
    })
    expect(mapEvent(anEvent(document), strict.segment)).toMatchObject({
      parsed: { ok: false, problem: { code: 'EVENT_SUBJECT', field: 'boardId' } },
    })
  })

  it('names the sources of a field that is wrong', () => {
    const read = mapEvent(anEvent({ event: 'Pin Saved', userId: 'u' }, { at: 'batch[2]' }), defaultMapping.segment)
    expect(read).toMatchObject({
      parsed: {
        ok: false,
        problem: {
          code: 'EVENT_FIELD_MISSING',
          field: 'batch[2].pinId',
          message:
            'batch[2].pinId is missing; give the pin of the save (mapped from properties.pinId or properties.pin_id or properties.product_id)',
        },
      },
    })
  })

  it('never reads what an object inherits', () => {
    const { json } = mappingOf({ json: { fields: { userId: 'constructor.name', pinId: '__proto__.x' } } })
    expect(mapEvent(anEvent({ event: 'save', id: 'p' }), json)).toMatchObject({
      parsed: { ok: false, problems: [{ field: 'userId' }, { field: 'pinId' }] },
    })
  })

  it('says which unit a time seems to have', () => {
    const read = mapEvent(
      anEvent({ event: 'click', userId: 'u', pinId: 'p', timestamp: 1_769_860_799 }),
      defaultMapping.json,
    )
    expect(read).toMatchObject({ kind: 'refused', problems: [{ code: 'EVENT_TIME_UNIT', field: 'occurredAt' }] })
  })

  it('skips unknown and dropped names with a reason, and refuses an event without a name', () => {
    const { segment } = mappingOf({ segment: { events: { Heartbeat: null } } })
    expect(mapEvent(anEvent({ event: 'Order Completed' }), segment)).toMatchObject({ reason: 'unknown-name' })
    expect(mapEvent(anEvent({ event: 'Heartbeat' }), segment)).toMatchObject({ reason: 'dropped' })
    expect(mapEvent(anEvent({}), segment)).toMatchObject({
      kind: 'refused',
      problems: [
        { code: 'EVENT_FIELD_MISSING', message: 'the event has no name: event is missing; give the name of the event' },
      ],
    })
  })
})
