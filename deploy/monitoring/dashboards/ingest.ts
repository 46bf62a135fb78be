import { chosen, gauge, perSecond, quantiles, type Dashboard } from './panel.ts'

/** What comes in, and what becomes of it. */
export const ingest: Dashboard = {
  uid: 'freshet-ingest',
  title: 'Freshet: ingest',
  description: 'Requests and events that event-ingest accepts and refuses, and how fast the log takes them',
  rows: [
    {
      title: 'Requests and events',
      panels: [
        {
          title: 'Requests by outcome',
          description:
            'Requests by protocol and outcome: `accepted`, `rejected` (no event was accepted) or the code of the error.',
          unit: 'reqps',
          queries: [[perSecond('freshet_ingest_requests_total', 'protocol, outcome'), '{{protocol}} {{outcome}}']],
        },
        {
          title: 'Events by outcome',
          description: 'Events by kind and outcome: `accepted` or the code of the error.',
          unit: 'ops',
          queries: [[perSecond('freshet_ingest_events_total', 'kind, outcome'), '{{kind}} {{outcome}}']],
        },
        {
          title: 'Events of other systems',
          description: 'Events by connector and outcome, `lost`: retention of the other topic deleted them unread.',
          unit: 'ops',
          queries: [[perSecond('freshet_connector_events_total', 'connector, outcome'), '{{connector}} {{outcome}}']],
          empty: 'without a connector',
        },
      ],
    },
    {
      title: 'The log',
      panels: [
        {
          title: 'Time until the log acknowledged',
          description: 'Time of an append, by kind of events.',
          unit: 's',
          queries: quantiles('freshet_ingest_append_seconds', 'kind', '{{kind}}'),
        },
        {
          title: 'Bytes that wait for the log',
          description: 'Requests are refused (`INGEST_OVERLOADED`) above `ingest.maxInFlightBytes`.',
          unit: 'bytes',
          queries: [[gauge('freshet_ingest_in_flight_bytes', 'instance'), '{{instance}}']],
        },
        {
          title: 'Acknowledged records that the log lost',
          description: 'Records that the log acknowledged and no longer has. Must be 0.',
          unit: 'none',
          queries: [[`sum by (topic) (increase(${chosen('freshet_ingest_log_lost_records_total')}[1h]))`, '{{topic}}']],
        },
        {
          title: 'Records of the other topic that wait',
          description: 'Records of `source.topic` that ingest has not handled yet.',
          unit: 'none',
          queries: [[gauge('freshet_connector_lag_records', 'instance'), '{{instance}}']],
          empty: 'without `source.topic`',
        },
      ],
    },
    {
      title: 'Callers',
      panels: [
        {
          title: 'Refused for their rate',
          description: 'Requests that came too fast, by what they came too fast from.',
          unit: 'reqps',
          queries: [[perSecond('freshet_rate_limited_total', 'by'), '{{by}}']],
          empty: 'while nobody sends too fast',
        },
        {
          title: 'Refused for their credentials',
          description: 'Requests and calls by server and code.',
          unit: 'reqps',
          queries: [[perSecond('freshet_access_refused_total', 'server, code'), '{{server}} {{code}}']],
          empty: 'while all callers have the right keys',
        },
        {
          title: 'Connections',
          description: 'Open HTTP connections by server.',
          unit: 'none',
          queries: [[gauge('freshet_http_connections', 'server'), '{{server}}']],
        },
        {
          title: 'Clocks of clients',
          description: 'Corrections of times of clients whose clock must be wrong.',
          unit: 's',
          queries: quantiles('freshet_ingest_clock_skew_seconds', 'release', '{{release}}'),
          empty: 'while no clock is wrong',
        },
      ],
    },
  ],
}
