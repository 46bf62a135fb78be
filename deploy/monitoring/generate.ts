/**
 * Generates the rule file, the dashboards, and the tables of this folder's README from the tables in code.
 * `npm run readme:update` runs it; monitoring.test.ts compares.
 *
 *   node deploy/monitoring/generate.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dashboards } from './dashboards/all.ts'
import { grafanaDashboard } from './dashboards/grafana.ts'
import { promtoolCases } from './promtool-cases.ts'
import { promtoolFile, type PromtoolCase } from './promtool-tests.ts'
import { withMonitoringTables } from './readme-tables.ts'
import { alerts, ruleFile } from './rules.ts'

const files = join(import.meta.dirname, '../helm/freshet/files')

/** Expected content of the generated files, by path. */
export function generated(): ReadonlyMap<string, string> {
  const rules = '../../helm/freshet/files/rules.yaml'
  const short = { rules, interval: '1m', evaluation: '1m' }
  const long = { rules, interval: '5m', evaluation: '5m' }
  const tests = (name: string): string => join(import.meta.dirname, 'promtool', name)
  const isLong = ({ coversDays }: PromtoolCase): boolean => coversDays === true
  const readme = join(import.meta.dirname, 'README.md')
  return new Map([
    [readme, withMonitoringTables(readFileSync(readme, 'utf8'))],
    [join(files, 'rules.yaml'), ruleFile()],
    ...dashboards.map((dashboard) => {
      const name = dashboard.uid.replace('freshet-', '')
      return [
        join(files, 'dashboards', `${name}.json`),
        `${JSON.stringify(grafanaDashboard(dashboard), null, 2)}\n`,
      ] as const
    }),
    [
      tests('hours.test.yaml'),
      promtoolFile(
        promtoolCases.filter((one) => !isLong(one)),
        alerts,
        short,
      ),
    ],
    [tests('days.test.yaml'), promtoolFile(promtoolCases.filter(isLong), alerts, long)],
  ])
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, content] of generated()) writeFileSync(path, content)
}
