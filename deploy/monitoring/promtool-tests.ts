import { stringify } from 'yaml'
import type { Alert } from './alert.ts'

/** A test of promtool: series, and which alerts they make fire. */
export interface PromtoolCase {
  readonly name: string
  /** Whether it covers days: rules are then evaluated every 5 minutes. */
  readonly coversDays?: boolean
  /** Values of each series, one a minute, one every 5 minutes if it covers days, in promtool's notation. */
  readonly series: Readonly<Record<string, string>>
  readonly checks: readonly PromtoolCheck[]
}

/** What is expected of an alert at a time. */
export interface PromtoolCheck {
  readonly alert: string
  /** Since the first value, as in `70m`. */
  readonly at: string
  /** The alerts that fire, with the labels that the expression leaves; `once`: one, whatever its labels; empty: none. */
  readonly fires: readonly Firing[] | 'once'
}

interface Firing {
  readonly labels: Readonly<Record<string, string>>
  /** The summary as people read it. */
  readonly summary: string
}

/**
 * The file for `promtool test rules`. `once` asks for the number of firing alerts by a query: promtool compares annotations
 * word for word, and the other test of the same alert does that. `interval`: of the values, and of evaluations.
 */
export function promtoolFile(
  cases: readonly PromtoolCase[],
  alerts: readonly Alert[],
  { rules, interval, evaluation }: { readonly rules: string; readonly interval: string; readonly evaluation: string },
): string {
  const tests = cases.map(({ name, series, checks }) => {
    const counted = checks.filter(({ fires }) => fires === 'once')
    const compared = checks.filter(({ fires }) => fires !== 'once')
    return {
      name,
      interval,
      input_series: Object.entries(series).map(([of, values]) => ({ series: of, values })),
      ...(compared.length > 0 && { alert_rule_test: compared.map((check) => comparedTest(check, alerts)) }),
      ...(counted.length > 0 && { promql_expr_test: counted.map(countTest) }),
    }
  })
  const file = { rule_files: [rules], evaluation_interval: evaluation, tests }
  return `${head}${stringify(file, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

const head = `# Tests of the alerts: each fires when it should and is silent when it should. Generated from promtool-cases.ts and
# promtool-causes.ts by \`npm run readme:update\`. Run: promtool test rules FILE
`

function comparedTest({ alert, at, fires }: PromtoolCheck, alerts: readonly Alert[]): object {
  const { severity, labels, runbook, panel } = alerts.find(({ name }) => name === alert)!
  const expected = (fires as readonly Firing[]).map((firing) => ({
    exp_labels: { severity, ...labels, ...firing.labels },
    exp_annotations: {
      summary: firing.summary,
      runbook: `deploy/monitoring/runbooks/${runbook}.md`,
      dashboard: `/d/${panel[0]}`,
      panel: panel[1],
    },
  }))
  return { alertname: alert, eval_time: at, exp_alerts: expected }
}

function countTest({ alert, at }: PromtoolCheck): object {
  const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"})`
  return { expr, eval_time: at, exp_samples: [{ labels: '{}', value: 1 }] }
}
