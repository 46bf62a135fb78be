import { gauge, perSecond, type Dashboard } from './panel.ts'

/** What does not work as it should, and what feeds make of it. */
export const degradation: Dashboard = {
  uid: 'freshet-degradation',
  title: 'Freshet: degradation',
  description: 'How far down the ladder feeds come from, and what is refused, retried or failing',
  rows: [
    {
      title: 'Feeds',
      panels: [
        {
          title: 'Feeds by degradation',
          description: 'How far down the ladder answers come from.',
          unit: 'reqps',
          queries: [[perSecond('freshet_feed_answers_total', 'degradation'), '{{degradation}}']],
        },
        {
          title: 'Feeds by freshness',
          description:
            'Whether answers reflect the events whose tokens were given. `FRESHNESS_UNSPECIFIED`: none was given.',
          unit: 'reqps',
          queries: [[perSecond('freshet_feed_answers_total', 'freshness'), '{{freshness}}']],
        },
        {
          title: 'Refused because too much is under way',
          description: 'By kind: prefetches are refused first.',
          unit: 'reqps',
          queries: [
            [perSecond('freshet_feed_shed_total', 'kind'), 'feeds: {{kind}}'],
            [
              perSecond('freshet_ingest_requests_total', 'outcome', 'outcome="INGEST_OVERLOADED"'),
              'ingest: {{outcome}}',
            ],
          ],
          empty: 'while nothing is refused',
        },
      ],
    },
    {
      title: 'Calls and errors',
      panels: [
        {
          title: 'Circuit breakers',
          description: 'By replica: 0 closed, 1 half open, 2 open (the blender does not call it).',
          unit: 'none',
          queries: [[gauge('freshet_call_breaker', 'service, replica', '', 'max'), '{{service}} {{replica}}']],
          empty: 'in a process that holds all services',
        },
        {
          title: 'Extra calls',
          description: 'Calls beside the first one, by service and kind: hedged, retried, out-of-budget (not sent).',
          unit: 'reqps',
          queries: [[perSecond('freshet_call_extra_total', 'service, kind'), '{{service}} {{kind}}']],
          empty: 'while the first calls are fast enough',
        },
        {
          title: 'Background work that failed',
          description: 'In the blender.',
          unit: 'ops',
          queries: [[perSecond('freshet_feed_background_failures_total', 'what'), '{{what}}']],
          empty: 'while it works',
        },
        {
          title: 'Errors by consequence',
          description: 'Errors of all services by consequence, part and code. A defect is a mistake in the code.',
          unit: 'ops',
          queries: [[perSecond('freshet_errors_total', 'outcome, part, code'), '{{outcome}} {{part}} {{code}}']],
          empty: 'while there are none',
        },
        {
          title: 'Connections that were closed',
          description: 'By server and reason.',
          unit: 'ops',
          queries: [[perSecond('freshet_http_connections_closed_total', 'server, reason'), '{{server}} {{reason}}']],
          empty: 'while no limit is reached',
        },
      ],
    },
  ],
}
