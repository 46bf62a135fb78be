import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dashboards } from './dashboards/all.ts'
import { generated } from './generate.ts'
import { groupedBy, metricBehind, problemsIn, usesIn } from './metric-uses.ts'
import { promtoolCases } from './promtool-cases.ts'
import { alerts, recordings } from './rules.ts'
import { groupLabels } from './slos.ts'

const root = join(import.meta.dirname, '../..')
const runbooks = join(import.meta.dirname, 'runbooks')
const panels = dashboards.flatMap(({ uid, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ ...panel, uid }))),
)
const recorded = new Map(
  recordings.map(({ record, expr, labels = {} }) => [record, [...Object.keys(labels), ...groupedBy(expr)]]),
)

/** The metrics behind an expression, through recorded series. */
function metricsBehind(expr: string): ReadonlySet<string> {
  const names = usesIn(expr).flatMap(({ name }) => {
    const rules = recordings.filter(({ record }) => record === name)
    return rules.length > 0 ? rules.flatMap((rule) => [...metricsBehind(rule.expr)]) : [metricBehind(name) ?? name]
  })
  return new Set(names)
}

describe('the rule file and the dashboards', () => {
  it.each([...generated()].map(([path, content]) => [path.slice(root.length + 1), path, content] as const))(
    '%s is what the tables say (npm run readme:update)',
    (_name, path, content) => {
      expect(readFileSync(path, 'utf8')).toBe(content)
    },
  )

  it('hold no dashboard that is not generated', () => {
    const folder = join(root, 'deploy/helm/freshet/files/dashboards')
    const found = readdirSync(folder).map((file) => join(folder, file))
    expect(found.filter((path) => !generated().has(path))).toEqual([])
  })

  it.each(recordings)('use series and labels that exist: $record', ({ expr }) => {
    expect(problemsIn(expr, recorded)).toEqual([])
  })

  it.each(alerts)('use series and labels that exist: $name', ({ expr, summary }) => {
    expect(problemsIn(expr, recorded)).toEqual([])
    const shown = [...summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!)
    const there = new Set([...groupedBy(expr), ...usesIn(expr).flatMap(({ name }) => [...(recorded.get(name) ?? [])])])
    const isAggregated = groupedBy(expr).length > 0
    if (isAggregated) expect(shown.filter((label) => !there.has(label))).toEqual([])
  })

  it.each(panels)('use series and labels that exist: $uid, $title', ({ queries, description, unit }) => {
    for (const [expr, legend] of queries) {
      expect(problemsIn(expr, recorded)).toEqual([])
      expect(legend).not.toBe('')
    }
    expect(description).toMatch(/\.$/)
    expect(unit).not.toBe('')
  })

  it('find a name that no process has, a label that a metric has not, and the name of a histogram without its suffix', () => {
    expect(problemsIn('rate(freshet_updater_record_total[5m])', recorded)).toEqual([
      'there is no freshet_updater_record_total',
    ])
    expect(problemsIn('freshet_updater_records_total{state="lost"}', recorded)).toEqual([
      'freshet_updater_records_total has no label state',
    ])
    expect(problemsIn('sum by (colour) (freshet_service_ready)', recorded)).toEqual(['no series has the label colour'])
    expect(problemsIn('freshet_updater_event_seconds', recorded)).toHaveLength(1)
    expect(problemsIn('freshet:slo_error_ratio:avg7m', recorded)).toHaveLength(1)
  })
})

describe('every alert', () => {
  it('has a name of its own', () => {
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length)
  })

  it.each(alerts)('$name has a test in which it fires, and one in which it is silent', ({ name }) => {
    const checks = promtoolCases.flatMap((one) => one.checks).filter(({ alert }) => alert === name)
    expect(checks.filter(({ fires }) => fires === 'once' || fires.length > 0).length).toBeGreaterThan(0)
    expect(checks.filter(({ fires }) => fires !== 'once' && fires.length === 0).length).toBeGreaterThan(0)
  })

  it.each(alerts)('$name has a panel that shows what it looks at', ({ panel: [uid, title], expr }) => {
    const panel = panels.find((one) => one.uid === uid && one.title === title)
    expect(panel, `${uid}: ${title}`).toBeDefined()
    const shown = new Set(panel!.queries.flatMap(([query]) => [...metricsBehind(query)]))
    expect([...metricsBehind(expr)].filter((metric) => shown.has(metric))).not.toEqual([])
  })

  it.each(alerts)('$name has a runbook', ({ runbook }) => {
    expect(existsSync(join(runbooks, `${runbook}.md`)), runbook).toBe(true)
  })

  it('keeps the release apart, so that one that fails does not hide behind others', () => {
    const apart = alerts.filter(({ expr }) => groupedBy(expr).length > 0)
    expect(apart.filter(({ expr }) => !groupLabels.every((label) => groupedBy(expr).includes(label)))).toEqual([])
  })
})

describe('the tests of the alerts', () => {
  it('name alerts that exist', () => {
    const names = new Set(alerts.map(({ name }) => name))
    expect(promtoolCases.flatMap(({ checks }) => checks).filter(({ alert }) => !names.has(alert))).toEqual([])
  })

  it('use series that exist', () => {
    const problems = promtoolCases.flatMap(({ series }) =>
      Object.keys(series).flatMap((one) => problemsIn(one, recorded)),
    )
    expect(problems).toEqual([])
  })
})
