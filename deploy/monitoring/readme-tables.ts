import { alerts } from './rules.ts'
import { dashboards } from './dashboards/all.ts'
import { slos, sloWindowDays } from './slos.ts'

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** The tables of the README, by the name of their mark. */
const tables: Readonly<Record<string, () => string>> = {
  slos: () =>
    table(
      ['objective', 'window', 'indicator', 'why'],
      slos.map(({ id, objective, indicator, why }) => [
        `[${id}](runbooks/${id}.md): ${100 * objective} %`,
        `${sloWindowDays} days`,
        indicator,
        why,
      ]),
    ),
  alerts: () =>
    table(
      ['alert', 'severity', 'for', 'runbook'],
      alerts.map(({ name, severity, runbook, ...alert }) => [
        `\`${name}\``,
        severity,
        alert.for ?? '–',
        `[${runbook}](runbooks/${runbook}.md)`,
      ]),
    ),
  dashboards: () =>
    table(
      ['dashboard', 'shows'],
      dashboards.map(({ uid, title, description }) => [
        `[${title.replace('Freshet: ', '')}](../helm/freshet/files/dashboards/${uid.replace('freshet-', '')}.json)`,
        description,
      ]),
    ),
}

/** The README with its tables as the code has them. Throws if a mark is missing. */
export function withMonitoringTables(readme: string): string {
  return Object.entries(tables).reduce((text, [name, make]) => {
    const mark = new RegExp(`<!-- monitoring:${name} -->\\n[\\s\\S]*?<!-- /monitoring:${name} -->`)
    if (!mark.test(text)) throw new Error(`the README of deploy/monitoring has no mark monitoring:${name}`)
    return text.replace(mark, () => `<!-- monitoring:${name} -->\n${make()}\n<!-- /monitoring:${name} -->`)
  }, readme)
}
