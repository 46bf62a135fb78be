import { stringify } from 'yaml'
import type { Alert } from './alert.ts'
import { burnsFast, burnsSlowly, intervalSeconds } from './burn-alerts.ts'
import { causeAlerts } from './cause-alerts.ts'
import { objectiveAlerts, objectiveRecordings } from './objective-alerts.ts'
import { presenceAlerts } from './presence-alerts.ts'
import { longSloRecordings, sloRecordings, slos, type RecordingRule } from './slos.ts'

/** All alerts, in the order of the rule file. */
export const alerts: readonly Alert[] = [
  ...slos.map(burnsFast),
  ...slos.map(burnsSlowly),
  ...objectiveAlerts,
  ...presenceAlerts,
  ...causeAlerts,
]

/** All recording rules. */
export const recordings: readonly RecordingRule[] = [
  ...slos.flatMap((slo) => [...sloRecordings(slo), ...longSloRecordings(slo)]),
  ...objectiveRecordings,
]

const interval = `${intervalSeconds}s`
/** Less than the 5 minutes after which Prometheus takes a series without a sample for gone. */
const longInterval = '2m'

/** A group of a rule file. */
interface RuleGroup {
  readonly name: string
  readonly interval: string
  readonly rules: readonly object[]
}

function alertRule({
  name,
  expr,
  severity,
  summary,
  runbook,
  panel: [dashboard, title],
  labels,
  ...more
}: Alert): object {
  return {
    alert: name,
    expr,
    ...(more.for !== undefined && { for: more.for }),
    labels: { severity, ...labels },
    annotations: {
      summary,
      runbook: `deploy/monitoring/runbooks/${runbook}.md`,
      dashboard: `/d/${dashboard}`,
      panel: title,
    },
  }
}

/** The groups of the rule file. */
const groups: readonly RuleGroup[] = [
  ...slos.map((slo) => ({ name: `freshet-slo-${slo.id}`, interval, rules: sloRecordings(slo) })),
  { name: 'freshet-slo-long', interval: longInterval, rules: slos.flatMap(longSloRecordings) },
  { name: 'freshet-slo-losses', interval, rules: objectiveRecordings },
  { name: 'freshet-burn-fast', interval, rules: slos.map(burnsFast).map(alertRule) },
  { name: 'freshet-burn-slowly', interval: longInterval, rules: slos.map(burnsSlowly).map(alertRule) },
  { name: 'freshet-objectives', interval, rules: objectiveAlerts.map(alertRule) },
  { name: 'freshet-presence', interval, rules: presenceAlerts.map(alertRule) },
  { name: 'freshet-causes', interval, rules: causeAlerts.map(alertRule) },
]

const head = `# Recording rules and alerts of Freshet, for Prometheus 2.37 or later. Generated from the tables in
# deploy/monitoring by \`npm run readme:update\`: change those.
`

/** The rule file. */
export function ruleFile(): string {
  return `${head}${stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false })}`
}
