import { budgetOf, slos, sloWindowDays, type Slo } from '../slos.ts'
import { chosen, gauge, type Dashboard, type Panel } from './panel.ts'

function burnPanel({ id, objective }: Slo): Panel {
  const burn = (window: string): string =>
    `${chosen(`freshet:slo_error_ratio:avg${window}`, `slo="${id}"`)} / ${budgetOf(objective)}`
  return {
    title: `Burn rate: ${id}`,
    description: `How many times faster than allowed the error budget of ${id} is used (1: it lasts exactly ${sloWindowDays} days). Pages above 14.4 in 1 h and 5 min, or 6 in 6 h and 30 min; a ticket above 3 in 1 d and 2 h, or 1 in 3 d and 6 h.`,
    unit: 'none',
    queries: ['5m', '1h', '6h', '3d'].map((window) => [burn(window), `{{release}} ${window}`] as const),
    empty: 'while there are no such events',
  }
}

/** The state of the objectives, and which processes there are. */
export const overview: Dashboard = {
  uid: 'freshet-overview',
  title: 'Freshet: overview',
  description: 'The objectives, what burns their budgets, and which processes run',
  rows: [
    {
      title: 'Objectives',
      panels: [
        {
          title: 'Error budget that is left',
          description: `Share of the error budget of ${sloWindowDays} days that is left; below 0 the objective is missed.`,
          unit: 'percentunit',
          kind: 'stat',
          queries: [[chosen('freshet:slo_error_budget_remaining:ratio'), '{{release}} {{slo}}']],
          empty: 'until there were such events',
        },
        {
          title: 'Good events in the last hour',
          description: 'Share of good events by objective.',
          unit: 'percentunit',
          kind: 'stat',
          queries: [[`1 - ${chosen('freshet:slo_error_ratio:avg1h')}`, '{{release}} {{slo}}']],
          empty: 'until there were such events',
        },
        {
          title: 'Firing alerts',
          description: 'Number of firing alerts of Freshet by severity; the alert list shows them with their runbooks.',
          unit: 'none',
          kind: 'stat',
          queries: [
            ['count(ALERTS{alertname=~"Freshet.+",alertstate="firing",severity="page"}) or vector(0)', 'page'],
            ['count(ALERTS{alertname=~"Freshet.+",alertstate="firing",severity="ticket"}) or vector(0)', 'ticket'],
          ],
        },
      ],
    },
    { title: 'Burn rates', panels: slos.map(burnPanel) },
    {
      title: 'Without a budget',
      panels: [
        {
          title: 'Lost or unaccounted events',
          description:
            'Events of the last hour that the log acknowledged and no longer has, that retention deleted unread, or that the updater passed over without an outcome. Must be 0.',
          unit: 'none',
          queries: [[chosen('freshet:lost_events:increase1h'), '{{release}}']],
        },
        {
          title: 'Age of the newest model',
          description:
            'Time since the newest ranking model was trained that was not rejected. No value: there is none.',
          unit: 's',
          queries: [[gauge('freshet_ranking_model_age_seconds', 'release', '', 'max'), '{{release}}']],
        },
        {
          title: 'Certificates',
          description: 'Time until the first certificate of each file of `tls` expires.',
          unit: 's',
          queries: [
            [
              `${gauge('freshet_tls_certificate_expiry_timestamp_seconds', 'release, file', '', 'min')} - time()`,
              '{{release}} {{file}}',
            ],
          ],
          empty: 'without TLS',
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          title: 'Processes',
          description: 'Processes that report metrics, by service.',
          unit: 'none',
          queries: [
            [`count by (release) (${chosen('freshet_ingest_in_flight_bytes')})`, '{{release}} event-ingest'],
            [`count by (release) (${chosen('freshet_updater_lag_records')})`, '{{release}} feature-updater'],
            [`count by (release, service) (${chosen('freshet_view_lag_records')})`, '{{release}} {{service}}'],
          ],
        },
        {
          title: 'Processes that are not ready',
          description: 'Processes whose `/readyz` names a problem.',
          unit: 'none',
          queries: [[`sum by (release) (1 - ${chosen('freshet_service_ready')})`, '{{release}}']],
        },
        {
          title: 'Memory of processes',
          description: 'Resident memory.',
          unit: 'bytes',
          queries: [[chosen('process_resident_memory_bytes'), '{{job}} {{instance}}']],
        },
      ],
    },
  ],
}
