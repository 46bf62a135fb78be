/**
 * Generates values.schema.json, the files that templates read, and the tables of the chart's README from the code and from values.yaml.
 * `npm run readme:update` runs it; chart.test.ts compares.
 *
 *   node deploy/helm/generate.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configOf } from '@freshet/adapters/kafka/topics'
import { kafkaAcls } from '@freshet/adapters/kafka/acls'
import { serviceRights, type ServiceRights } from '@freshet/contracts/service-rights'
import { topicLayouts } from '@freshet/contracts/topics'
import { removedValues } from './removed.ts'
import { valuesSchema } from './schema.ts'
import { valueRows } from './values-table.ts'

const chart = join(import.meta.dirname, 'freshet')

/** Expected content of the generated files, by path. */
export async function generated(): Promise<ReadonlyMap<string, string>> {
  const readme = join(chart, 'README.md')
  const rows = valueRows().map((row) => `| \`${row.path}\` | \`${row.default}\` | ${row.description.replaceAll('|', '\\|')} |`)
  const table = ['| value | default | what |', '| --- | --- | --- |', ...rows].join('\n')
  const withTable = readFileSync(readme, 'utf8').replace(
    /<!-- values -->\n[\s\S]*?<!-- \/values -->/,
    () => `<!-- values -->\n${table}\n<!-- /values -->`,
  )
  const schema = join(chart, 'values.schema.json')
  const file = (name: string, content: unknown): [string, string] => [join(chart, 'files', name), `${printed(content)}\n`]
  return new Map([
    file('removed.json', removedValues),
    file('topics.json', Object.fromEntries(topicLayouts(1).map((layout) => [layout.name, Object.fromEntries(configOf(layout))]))),
    file('rights.json', Object.fromEntries(Object.entries<ServiceRights>(serviceRights).map(([service, rights]) => [service, strimziRights(rights)]))),
    [schema, `${printed(await valuesSchema())}\n`],
    [readme, withTable],
  ])
}

/** Rights in the form of a KafkaUser of Strimzi. */
function strimziRights(rights: ServiceRights): readonly object[] {
  return kafkaAcls(rights).flatMap(({ resource, names, operations, isPrefix }) =>
    names.map((name) => ({
      resource: resource === 'cluster' ? { type: resource } : { type: resource, name, patternType: isPrefix === true ? 'prefix' : 'literal' },
      operations,
    })),
  )
}

/** JSON with one line for each schema that contains no multi-line schema. */
function printed(value: unknown, indent = ''): string {
  const line = JSON.stringify(value)
  if (line.length + indent.length <= 160 || typeof value !== 'object' || value === null || Array.isArray(value)) return line
  const inner = `${indent}  `
  const entries = Object.entries(value).map(([key, each]) => `${inner}${JSON.stringify(key)}: ${printed(each, inner)}`)
  return `{\n${entries.join(',\n')}\n${indent}}`
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, content] of await generated()) writeFileSync(path, content)
}
