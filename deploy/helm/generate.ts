/**
 * Generates values.schema.json and the tables of the chart's README from the code and from values.yaml.
 * `npm run readme:update` runs it; chart.test.ts compares.
 *
 *   node deploy/helm/generate.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  return new Map([
    [schema, `${printed(await valuesSchema())}\n`],
    [readme, withTable],
  ])
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
