import { causeCases } from './promtool-causes.ts'
import type { PromtoolCase } from './promtool-tests.ts'
import { presenceAlerts } from './presence-alerts.ts'
import { slos } from './slos.ts'

/** Counters and gauges come once a minute. `0+60x70`: begins at 0 and grows by 60 in each of 70 minutes. */
const at = 'namespace="shop",release="freshet"'
const of = (name: string, labels = ''): string => `${name}{${at}${labels === '' ? '' : `,${labels}`}}`

/** The counters of all objectives. `total`: events between two values; `bad`: the values of those that fail. Where some fail, no event of a histogram is in time. */
function traffic(bad: string, total: number, values: number): Record<string, string> {
  const all = `0+${total}x${values}`
  const inTime = bad.startsWith('0+0x') ? all : `0x${values}`
  return {
    [of('freshet_ingest_requests_total', 'outcome="accepted",protocol="http"')]: all,
    [of('freshet_ingest_requests_total', 'outcome="INGEST_UNAVAILABLE",protocol="http"')]: bad,
    [of('freshet_feed_requests_total', 'kind="request",outcome="answered"')]: all,
    [of('freshet_feed_requests_total', 'kind="request",outcome="CALL_UNAVAILABLE"')]: bad,
    [of('freshet_feed_answers_total', 'surface="home",degradation="DEGRADATION_NONE"')]: all,
    [of('freshet_feed_answers_total', 'surface="home",degradation="DEGRADATION_POPULAR"')]: bad,
    [of('freshet_feed_answer_seconds_count', 'surface="home"')]: all,
    [of('freshet_feed_answer_seconds_bucket', 'surface="home",le="0.25"')]: inTime,
    [of('freshet_updater_event_seconds_count', 'stage="user"')]: all,
    [of('freshet_updater_event_seconds_bucket', 'stage="user",le="1"')]: inTime,
  }
}

/** Each alert of one kind, of all objectives. `value`: the share of bad events as it is printed; null: it must not fire. */
const eachSlo = (suffix: string, minutes: string, value: ((id: string) => string) | null): PromtoolCase['checks'] =>
  slos.map(({ id, alert, objective }) => ({
    alert: `${alert}${suffix}`,
    at: minutes,
    fires:
      value === null
        ? []
        : [
            {
              labels: { namespace: 'shop', release: 'freshet' },
              summary: `${value(id)} of events were bad; ${100 * objective} % of events should be good (${id}): at this rate the error budget ${suffix === 'BurnsFast' ? 'of 30 days is gone within 5 days' : 'does not last for 30 days'}`,
            },
          ],
  }))

/** Half of the requests fail in these; of the histograms, no event is fast. */
const half = (id: string): string => (id === 'freshness' || id === 'feed-latency' ? '100%' : '50%')

/** The tests of the objectives' alerts. */
const burnCases: readonly PromtoolCase[] = [
  {
    name: 'half of all events are bad for 70 minutes: every budget burns fast',
    series: traffic('0+600x70', 600, 70),
    checks: [...eachSlo('BurnsFast', '70m', half), ...eachSlo('BurnsFast', '1m', null)],
  },
  {
    name: 'no event is bad: nothing burns',
    series: traffic('0+0x70', 600, 70),
    checks: [...eachSlo('BurnsFast', '70m', null), ...eachSlo('BurnsSlowly', '70m', null)],
  },
  {
    name: 'a tenth of the requests fails for 20 minutes, then none for 40 minutes: the alert ends',
    series: {
      [of('freshet_ingest_requests_total', 'outcome="accepted",protocol="http"')]: '0+600x100',
      [of('freshet_ingest_requests_total', 'outcome="INGEST_INTERNAL",protocol="http"')]: '0x30 0+60x20 1200x50',
    },
    checks: [
      { alert: 'FreshetIngestAvailabilityBurnsFast', at: '50m', fires: 'once' },
      { alert: 'FreshetIngestAvailabilityBurnsFast', at: '95m', fires: [] },
    ],
  },
  {
    name: 'clients send nonsense: that is not the fault of ingest',
    series: {
      [of('freshet_ingest_requests_total', 'outcome="accepted",protocol="http"')]: '0+60x70',
      [of('freshet_ingest_requests_total', 'outcome="EVENT_SHAPE",protocol="http"')]: '0+600x70',
    },
    checks: [{ alert: 'FreshetIngestAvailabilityBurnsFast', at: '70m', fires: [] }],
  },
  {
    name: 'one of forty requests fails at night: too few to know',
    series: {
      [of('freshet_ingest_requests_total', 'outcome="accepted",protocol="http"')]: '0+1x40',
      [of('freshet_ingest_requests_total', 'outcome="INGEST_UNAVAILABLE",protocol="http"')]: '0x36 1x4',
    },
    checks: [{ alert: 'FreshetIngestAvailabilityBurnsFast', at: '40m', fires: [] }],
  },
  {
    name: 'half of all events are bad for hours: every budget burns slowly, too',
    coversDays: true,
    series: traffic('0+3000x84', 3000, 84),
    checks: eachSlo('BurnsSlowly', '7h', half),
  },
  {
    name: '0.2 % of requests fail for hours: not fast, but the budget does not last',
    coversDays: true,
    series: {
      [of('freshet_ingest_requests_total', 'outcome="accepted",protocol="http"')]: '0+4990x120',
      [of('freshet_ingest_requests_total', 'outcome="INGEST_UNAVAILABLE",protocol="http"')]: '0+10x120',
    },
    checks: [
      { alert: 'FreshetIngestAvailabilityBurnsFast', at: '9h', fires: [] },
      { alert: 'FreshetIngestAvailabilityBurnsSlowly', at: '9h', fires: 'once' },
    ],
  },
]

const lost = [
  ['freshet_ingest_log_lost_records_total', 'topic="engagements.v1"'],
  ['freshet_updater_unaccounted_records_total', 'stage="user"'],
] as const

/** The tests of the alerts without a budget, and of those for services that report nothing. */
const objectiveCases: readonly PromtoolCase[] = [
  ...lost.map(([name, labels]) => ({
    name: `${name} grows`,
    series: { [of('freshet_service_ready', 'instance="i"')]: '1x40', [of(name, labels)]: '0x20 3x20' },
    checks: [
      { alert: 'FreshetEventsLost', at: '15m', fires: [] },
      { alert: 'FreshetEventsLost', at: '25m', fires: 'once' as const },
    ],
  })),
  {
    name: 'retention deletes records before the updater has folded them',
    series: {
      [of('freshet_service_ready', 'instance="i"')]: '1x40',
      [of('freshet_updater_records_total', 'stage="user",outcome="lost"')]: '0x20 60x40',
      [of('freshet_updater_records_total', 'stage="user",outcome="applied"')]: '0+60x60',
    },
    checks: [
      { alert: 'FreshetEventsLost', at: '15m', fires: [] },
      {
        alert: 'FreshetEventsLost',
        at: '30m',
        fires: [
          {
            labels: { namespace: 'shop', release: 'freshet' },
            summary: '60 events were lost or cannot be accounted for in the last hour',
          },
        ],
      },
    ],
  },
  ...(
    [
      ['freshet_updater_records_total', 'stage="user",outcome="lost"'],
      ['freshet_connector_events_total', 'connector="source",outcome="lost"'],
    ] as const
  ).map(([name, labels]) => ({
    name: `${name} has lost events when it is first read, and no more`,
    series: {
      [of('freshet_service_ready', 'instance="i"')]: '1x90',
      [of(name, `${labels},instance="i"`)]: '_x10 60x80',
    },
    checks: [
      { alert: 'FreshetEventsLost', at: '9m', fires: [] },
      { alert: 'FreshetEventsLost', at: '20m', fires: 'once' as const },
      { alert: 'FreshetEventsLost', at: '80m', fires: [] },
    ],
  })),
  ...(
    [
      ['an outage of Prometheus makes old losses not new', '60x90 _x40 60x80', []],
      ['events that were lost during an outage of Prometheus count', '60x90 _x40 65x80', '5 events were lost'],
      [
        'events that a process lost at its return count, also if it lost some before',
        '60x90 _x40 7x80',
        '7 events were lost',
      ],
    ] as const
  ).map(([name, values, fires]) => ({
    name,
    series: {
      [of('freshet_service_ready', 'instance="i"')]: '1x90 _x40 1x80',
      [of('freshet_updater_records_total', 'stage="user",outcome="lost",instance="i"')]: values,
    },
    checks: [
      { alert: 'FreshetEventsLost', at: '80m', fires: [] },
      {
        alert: 'FreshetEventsLost',
        at: '170m',
        fires:
          typeof fires === 'string'
            ? [
                {
                  labels: { namespace: 'shop', release: 'freshet' },
                  summary: `${fires} or cannot be accounted for in the last hour`,
                },
              ]
            : [],
      },
    ],
  })),
  ...(
    [
      ['when it starts', '0x120 7200x80', '60x120 60x80'],
      ['later', '0x200', '60x30 _x90 60x80'],
    ] as const
  ).map(([when, started, values]) => ({
    name: `a process that runs again and loses as many events as before, ${when}, counts again`,
    series: {
      [of('freshet_service_ready', 'instance="i"')]: '1x200',
      [of('process_start_time_seconds', 'instance="i"')]: started,
      [of('freshet_updater_records_total', 'stage="user",outcome="lost",instance="i"')]: values,
    },
    checks: [
      { alert: 'FreshetEventsLost', at: '110m', fires: [] },
      { alert: 'FreshetEventsLost', at: '140m', fires: 'once' as const },
      { alert: 'FreshetEventsLost', at: '195m', fires: [] },
    ],
  })),
  {
    name: 'a model grows old',
    series: { [of('freshet_ranking_model_age_seconds')]: '259000+60x60' },
    checks: [
      { alert: 'FreshetModelOld', at: '2m', fires: [] },
      {
        alert: 'FreshetModelOld',
        at: '40m',
        fires: [
          {
            labels: { namespace: 'shop', release: 'freshet' },
            summary: 'the newest ranking model was trained 3d 0h 36m 40s ago',
          },
        ],
      },
    ],
  },
  {
    name: 'there is no model for more than a day, then there is one',
    coversDays: true,
    series: { [of('freshet_ranking_model_age_seconds')]: `${'NaN '.repeat(300)}60x20` },
    checks: [
      { alert: 'FreshetModelMissing', at: '20h', fires: [] },
      { alert: 'FreshetModelMissing', at: '24h50m', fires: 'once' },
      { alert: 'FreshetModelMissing', at: '26h', fires: [] },
    ],
  },
  {
    name: 'two features drift for more than an hour',
    series: {
      [of('freshet_ranker_health_crossed', 'check="drift"')]: '2x90',
      [of('freshet_ranker_health_crossed', 'check="missing"')]: '0x90',
      [of('freshet_ranker_health_crossed', 'check="mixed-models"')]: '1x90',
    },
    checks: [
      { alert: 'FreshetFeatureDrift', at: '50m', fires: [] },
      {
        alert: 'FreshetFeatureDrift',
        at: '70m',
        fires: [
          {
            labels: { namespace: 'shop', release: 'freshet', check: 'drift' },
            summary: '2 features crossed the threshold of drift: serving differs from training',
          },
        ],
      },
    ],
  },
]

const present = {
  FreshetIngestGone: of('freshet_ingest_in_flight_bytes', 'instance="i"'),
  FreshetUpdaterGone: of('freshet_updater_lag_records', 'instance="i"'),
  FreshetCandidateServiceGone: of('freshet_view_lag_records', 'instance="i",service="candidate-service"'),
  FreshetRankerGone: of('freshet_view_lag_records', 'instance="i",service="ranker"'),
  FreshetBlenderGone: of('freshet_view_lag_records', 'instance="i",service="blender"'),
  FreshetTrainerGone: of('freshet_view_lag_records', 'instance="i",service="trainer"'),
} as const

const other = (series: string): string => series.replace('"freshet"', '"other"')

/** Each service vanishes: from all releases, and from one while another release runs. */
const presenceCases: readonly PromtoolCase[] = [
  {
    name: 'no release reports, and none has within the last hour',
    series: Object.fromEntries(Object.values(present).map((series) => [series, '0x10 _x80'])),
    checks: Object.keys(present).flatMap((alert) => [
      { alert, at: '10m', fires: [] },
      { alert, at: '85m', fires: 'once' as const },
    ]),
  },
  {
    name: 'one of two releases stops to report',
    series: Object.fromEntries(
      Object.values(present).flatMap((series) => [
        [series, '0x10 _x20'],
        [other(series), '0x30'],
      ]),
    ),
    checks: presenceAlerts.flatMap(({ name: alert, summary }) => [
      { alert, at: '10m', fires: [] },
      { alert, at: '25m', fires: [{ labels: { namespace: 'shop', release: 'freshet' }, summary }] },
    ]),
  },
]

/** All tests of the alerts. */
export const promtoolCases: readonly PromtoolCase[] = [...burnCases, ...objectiveCases, ...presenceCases, ...causeCases]
