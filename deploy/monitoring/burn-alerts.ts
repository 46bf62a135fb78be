import type { Alert } from './alert.ts'
import { budgetOf, type Slo } from './slos.ts'

/** A pair of windows: the long one shows that much of the budget is gone, the short one that it still burns. */
interface Burn {
  readonly factor: number
  readonly long: string
  readonly short: string
}

/** Google, The Site Reliability Workbook, chapter 5, table 5-8: 2 % of the budget of 30 days in 1 h, 5 % in 6 h, 10 % in 1 d and in 3 d. */
const fast: readonly Burn[] = [
  { factor: 14.4, long: '1h', short: '5m' },
  { factor: 6, long: '6h', short: '30m' },
]
const slow: readonly Burn[] = [
  { factor: 3, long: '1d', short: '2h' },
  { factor: 1, long: '3d', short: '6h' },
]

/** Rules of the group are evaluated this often; a sum of samples of a rate, times this, is a number of events. */
export const intervalSeconds = 30

/** With few requests, one that failed would be a large share of them. An alert needs more bad events than this in the long window. */
const leastBadEvents = 5

/** The alert of an objective whose budget is gone within hours or days. */
export function burnsFast(slo: Slo): Alert {
  return {
    ...commonOf(slo),
    name: `${slo.alert}BurnsFast`,
    expr: expressionOf(slo, fast),
    for: '2m',
    severity: 'page',
    summary: `${textOf(slo)}: at this rate the error budget of 30 days is gone within 5 days`,
  }
}

/** The alert of an objective whose budget does not last until the end of its window. */
export function burnsSlowly(slo: Slo): Alert {
  return {
    ...commonOf(slo),
    name: `${slo.alert}BurnsSlowly`,
    expr: expressionOf(slo, slow),
    for: '15m',
    severity: 'ticket',
    summary: `${textOf(slo)}: at this rate the error budget does not last for 30 days`,
  }
}

function commonOf({ id }: Slo): Pick<Alert, 'runbook' | 'panel' | 'labels'> {
  return { runbook: id, panel: ['freshet-overview', `Burn rate: ${id}`], labels: { slo: id } }
}

function textOf({ id, objective }: Slo): string {
  return `{{ $value | humanizePercentage }} of events were bad; ${100 * objective} % of events should be good (${id})`
}

function expressionOf({ id, objective }: Slo, burns: readonly Burn[]): string {
  const ratio = (window: string): string => `freshet:slo_error_ratio:avg${window}{slo="${id}"}`
  const burning = ({ factor, long, short }: Burn): string => {
    const most = Number((factor * budgetOf(objective)).toFixed(6))
    const bad = `sum_over_time(freshet:slo_bad_events:rate5m{slo="${id}"}[${long}]) * ${intervalSeconds} > ${leastBadEvents}`
    return `(${ratio(long)} > ${most} and ${ratio(short)} > ${most} and ${bad})`
  }
  return burns.map(burning).join('\nor\n')
}
