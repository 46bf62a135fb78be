import { sourceSettings } from '@freshet/event-ingest/config'
import { expect, it } from 'vitest'
import { topicsAcls } from './topics.ts'

const given = { principalPrefix: 'f-', format: 'commands', sourceGroup: sourceSettings.group.parse(undefined) }
const ofIngest = (texts: readonly string[]): string => texts.find((text) => text.includes('event-ingest'))!

it('the rights of event-ingest include the topic of another system, and its group by what its name begins with', () => {
  const without = topicsAcls(given)
  const added = topicsAcls({ ...given, sourceTopic: 'shop.events' })
  expect(ofIngest(added).split('\n').slice(ofIngest(without).split('\n').length)).toEqual([
    'kafka-acls --add --allow-principal User:f-event-ingest --operation Read --operation DescribeConfigs --topic shop.events --bootstrap-server "$KAFKA"',
    'kafka-acls --add --allow-principal User:f-event-ingest --operation Read --resource-pattern-type prefixed --group freshet-source. --bootstrap-server "$KAFKA"',
  ])
  expect(added.filter((text) => text !== ofIngest(added))).toEqual(without.filter((text) => text !== ofIngest(without)))
})

it('the same for Strimzi', () => {
  const text = ofIngest(topicsAcls({ ...given, format: 'strimzi', sourceTopic: 'shop.events', sourceGroup: 'g' }))
  expect(text).toContain('resource: { type: topic, name: shop.events, patternType: literal }')
  expect(text).toContain('resource: { type: group, name: g., patternType: prefix }')
})

it.each([
  [{ format: 'yaml' }, '--format'],
  [{ sourceTopic: 'a b' }, '--source-topic'],
  [{ sourceGroup: "g'; rm" }, '--source-group'],
])('%j is refused by the name of its option', (more, option) => {
  expect(() => topicsAcls({ ...given, ...more })).toThrow(option)
})
