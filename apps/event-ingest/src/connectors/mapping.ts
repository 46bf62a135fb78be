import { engagementFields } from '@freshet/contracts/json/engagement'
import { actions, type Action } from '@freshet/domain/engagement'
import { pathsRule, type FieldRule } from './field-sources.ts'

/** Forms of events that connectors read. */
export const connectorFormats = ['cloudevents', 'segment', 'json'] as const
export type ConnectorFormat = (typeof connectorFormats)[number]

/** The fields that a mapping can fill: those of an engagement. */
export const mappedFields = engagementFields
export type MappedField = (typeof engagementFields)[number]
export type FieldRules = ReadonlyMap<MappedField, FieldRule>

/** What becomes of events with a certain name. */
export type EventRule =
  /** `fields` come before the common fields of the format. */
  | { readonly kind: 'engagement'; readonly action: Action; readonly fields: FieldRules }
  | { readonly kind: 'merge'; readonly fromUserId: FieldRule; readonly intoUserId: FieldRule }
  /** Dropped on purpose. */
  | { readonly kind: 'drop' }

/** How events of one form are read. */
export interface FormatMapping {
  /** Where the name of an event is. */
  readonly name: FieldRule
  /** Common to all events of the form. A field that the action does not take is left out. */
  readonly fields: FieldRules
  readonly events: ReadonlyMap<string, EventRule>
  /** Places that dead letters keep beside the fields that the mapping reads, with all that is below them. */
  readonly keep: readonly (readonly string[])[]
}

/** How a deployment reads events of other systems. */
export type ConnectorMapping = Readonly<Record<ConnectorFormat, FormatMapping>>

/** The name under which a mapping finds the `identify` calls of Segment. A `track` call cannot have it. */
export const identifyCall = ' identify'

const anyEvent = (action: Action): EventRule => ({ kind: 'engagement', action, fields: new Map() })

const pastTense: Readonly<Record<string, Action>> = {
  'Pin Shown': 'impression',
  'Pin Viewed': 'closeup',
  'Pin Clicked': 'click',
  'Pin Saved': 'save',
  'Pin Unsaved': 'unsave',
  'Pin Hidden': 'hide',
  'Pin Reported': 'report',
  'Pin Dismissed': 'dismiss',
  'Product Viewed': 'closeup',
  'Product Clicked': 'click',
  'Product Added to Wishlist': 'save',
  'Product Removed from Wishlist': 'unsave',
}

/** The plain names: each action's own name, and what the plans of most shops and pin boards call it. */
const plainNames: ReadonlyMap<string, EventRule> = new Map([
  ...actions.map((action) => [action, anyEvent(action)] as const),
  ...Object.entries(pastTense).map(([name, action]) => [name, anyEvent(action)] as const),
])

/** Spellings of the fields that describe what happened, below a place such as `properties`. */
function plainFields(below: string): readonly (readonly [MappedField, FieldRule])[] {
  const under = (...names: readonly string[]): FieldRule => pathsRule(...names.map((name) => `${below}${name}`))
  return mappedFields
    .filter((field) => field !== 'eventId' && field !== 'userId' && field !== 'action' && field !== 'occurredAt')
    .map((field) => [field, under(field, snakeCase(field), ...(field === 'pinId' ? ['product_id'] : []))])
}

/** `pinId` as `pin_id`. */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** What connectors do without a file. A file adds to it and replaces parts of it. */
export const defaultMapping: ConnectorMapping = {
  cloudevents: {
    name: pathsRule('type'),
    fields: new Map<MappedField, FieldRule>([
      ['userId', pathsRule('data.userId', 'data.user_id')],
      ['occurredAt', pathsRule('time')],
      ...plainFields('data.'),
    ]),
    events: plainNames,
    keep: [],
  },
  segment: {
    name: pathsRule('event'),
    fields: new Map<MappedField, FieldRule>([
      ['userId', pathsRule('userId', 'anonymousId')],
      ['occurredAt', pathsRule('originalTimestamp', 'timestamp')],
      ...plainFields('properties.'),
    ]),
    events: new Map<string, EventRule>([
      ...plainNames,
      [identifyCall, { kind: 'merge', fromUserId: pathsRule('anonymousId'), intoUserId: pathsRule('userId') }],
    ]),
    keep: [],
  },
  json: {
    name: pathsRule('event', 'action', 'type', 'name'),
    fields: new Map<MappedField, FieldRule>([
      ['userId', pathsRule('userId', 'user_id')],
      ['occurredAt', pathsRule('occurredAt', 'occurred_at', 'timestamp')],
      ...plainFields(''),
    ]),
    events: plainNames,
    keep: [],
  },
}
