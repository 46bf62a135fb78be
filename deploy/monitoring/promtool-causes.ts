import type { PromtoolCase, PromtoolCheck } from './promtool-tests.ts'

const at = 'namespace="shop",release="freshet"'
const of = (name: string, labels = ''): string => `${name}{${at}${labels === '' ? '' : `,${labels}`}}`
const shop = { namespace: 'shop', release: 'freshet' } as const

/** An alert that is silent at one time and fires at another one. */
function turns(
  alert: string,
  series: Readonly<Record<string, string>>,
  { silent, fires, labels, summary }: { silent: string; fires: string; labels?: object; summary: string },
): PromtoolCase {
  const firing = { labels: { ...shop, ...labels }, summary }
  return {
    name: alert,
    series,
    checks: [
      { alert, at: silent, fires: [] },
      { alert, at: fires, fires: [firing] },
    ],
  }
}

const once = (alert: string, time: string): PromtoolCheck => ({ alert, at: time, fires: 'once' })
const error = (code: string, more = 'outcome="retried"'): string =>
  of('freshet_errors_total', `part="p",code="${code}",${more},instance="i"`)

/** The tests of the alerts about causes. */
export const causeCases: readonly PromtoolCase[] = [
  turns(
    'FreshetServiceNotReady',
    { [of('freshet_service_ready', 'instance="blender-0"')]: '1x10 0x30' },
    {
      silent: '15m',
      fires: '25m',
      labels: { instance: 'blender-0' },
      summary: 'blender-0 has not been ready for 10 minutes; its /readyz says why',
    },
  ),
  turns(
    'FreshetModelNotLoaded',
    { [of('freshet_ranker_models_refused', 'instance="ranker-0"')]: '0x10 1x30' },
    {
      silent: '15m',
      fires: '25m',
      labels: { instance: 'ranker-0' },
      summary: 'ranker-0 does not score with 1 of the models that the registry names',
    },
  ),
  turns(
    'FreshetLogUnreachable',
    { [error('LOG_UNAVAILABLE')]: '_x10 1+6x30' },
    {
      silent: '12m',
      fires: '25m',
      summary: 'the log does not answer, or refuses what a service asks',
    },
  ),
  {
    name: 'FreshetLogUnreachable: the updater does not know its lag',
    series: { [of('freshet_updater_lag_records', 'instance="i"')]: `0x10${' NaN'.repeat(20)}` },
    checks: [{ alert: 'FreshetLogUnreachable', at: '10m', fires: [] }, once('FreshetLogUnreachable', '20m')],
  },
  turns(
    'FreshetStoreUnreachable',
    { [error('STORE_UNAVAILABLE')]: '0x10 0+6x30', [error('LOG_UNAVAILABLE')]: '0x40' },
    {
      silent: '10m',
      fires: '25m',
      summary: 'the state store does not answer, or refuses what a service asks',
    },
  ),
  turns(
    'FreshetStoreMemoryNearlyFull',
    { [of('freshet_store_memory_used_ratio', 'instance="i"')]: '0.5x10 0.9x30' },
    {
      silent: '15m',
      fires: '25m',
      summary: 'Redis uses 90% of its memory limit',
    },
  ),
  turns(
    'FreshetStoreFull',
    { [of('freshet_store_memory_used_ratio', 'instance="i"')]: '0.96x10 0.98x30' },
    {
      silent: '9m',
      fires: '15m',
      summary: 'the state store is full: events wait in the log',
    },
  ),
  {
    name: 'FreshetStoreFull: an embedded store has no room on its disk',
    series: { [error('STORE_FULL')]: '_x10 1+1x20' },
    checks: [{ alert: 'FreshetStoreFull', at: '9m', fires: [] }, once('FreshetStoreFull', '12m')],
  },
  turns(
    'FreshetUpdaterStuck',
    {
      [of('freshet_updater_lag_records', 'instance="updater-0"')]: '0+10x60',
      [of('freshet_updater_records_total', 'instance="updater-0",stage="user",outcome="applied"')]: '0+60x20 1200x40',
      [of('freshet_updater_lag_records', 'instance="updater-1"')]: '5x60',
      [of('freshet_updater_records_total', 'instance="updater-1",stage="user",outcome="applied"')]: '0+60x60',
    },
    {
      silent: '20m',
      fires: '35m',
      labels: { instance: 'updater-0' },
      summary: 'updater-0 has folded none of its 350 waiting records for 5 minutes',
    },
  ),
  turns(
    'FreshetUpdaterBehind',
    {
      [of('freshet_updater_lag_records', 'instance="i"')]: '500x20 90000x40',
      [of('freshet_updater_records_total', 'instance="i",stage="user",outcome="applied"')]: '0+600x60',
    },
    {
      silent: '20m',
      fires: '35m',
      summary: '90k records wait, which the updater needs more than 5 minutes to fold',
    },
  ),
  {
    name: 'FreshetUpdaterBehind: a large lag that is gone within minutes',
    series: {
      [of('freshet_updater_lag_records', 'instance="i"')]: '90000x60',
      [of('freshet_updater_records_total', 'instance="i",stage="user",outcome="applied"')]: '0+60000x60',
    },
    checks: [{ alert: 'FreshetUpdaterBehind', at: '50m', fires: [] }],
  },
  turns(
    'FreshetPartitionsFailing',
    { [of('freshet_updater_failing_partitions', 'instance="i"')]: '0x10 2x20' },
    {
      silent: '12m',
      fires: '20m',
      summary: '2 reasons keep the updater from folding partitions',
    },
  ),
  turns(
    'FreshetLogReplaced',
    { [of('freshet_updater_replaced_partitions', 'instance="i"')]: '0x10 8x20' },
    {
      silent: '10m',
      fires: '15m',
      summary: '8 partitions are of another log than their state: the updater folds nothing there',
    },
  ),
  turns(
    'FreshetDeadLetters',
    { [of('freshet_updater_records_total', 'stage="user",outcome="deadLettered",instance="i"')]: '0x60 59x60' },
    { silent: '55m', fires: '90m', summary: '59 records became dead letters in the last hour' },
  ),
  turns(
    'FreshetCanariesMissed',
    { [of('freshet_updater_canaries_total', 'stage="pin",outcome="missed",instance="i"')]: '0x10 0+9x30' },
    {
      silent: '10m',
      fires: '30m',
      labels: { stage: 'pin' },
      summary: '90 canaries were not readable within ten seconds (stage pin)',
    },
  ),
  turns(
    'FreshetViewsBehind',
    { [of('freshet_view_lag_records', 'service="ranker",instance="i"')]: '9000x10 20000x30' },
    {
      silent: '15m',
      fires: '25m',
      labels: { service: 'ranker' },
      summary: 'the views of ranker lack 20k records of the log',
    },
  ),
  turns(
    'FreshetSnapshotOld',
    { [of('freshet_view_snapshot_timestamp_seconds', 'service="candidate-service",instance="i"')]: '0x90' },
    {
      silent: '58m',
      fires: '70m',
      labels: { service: 'candidate-service' },
      summary: 'candidate-service wrote its last snapshot 1h 10m 0s ago: its next start takes long',
    },
  ),
  turns(
    'FreshetDiskNearlyFull',
    {
      [of('freshet_disk_free_bytes', 'folder="snapshotFolder",instance="i"')]: '500x10 80x30',
      [of('freshet_disk_size_bytes', 'folder="snapshotFolder",instance="i"')]: '1000x40',
    },
    {
      silent: '15m',
      fires: '25m',
      labels: { folder: 'snapshotFolder', instance: 'i' },
      summary: '8% of the disk of snapshotFolder (i) is free',
    },
  ),
  turns(
    'FreshetCertificateExpires',
    {
      [of('freshet_tls_certificate_expiry_timestamp_seconds', 'file="certFile",instance="i"')]:
        `${7 * 86_400 + 1_200}x60`,
    },
    {
      silent: '30m',
      fires: '40m',
      labels: { file: 'certFile' },
      summary: 'a certificate (certFile) expires in 6d 23h 40m 0s',
    },
  ),
  turns(
    'FreshetFeedsNotRecorded',
    { [of('freshet_feeds_lost_total', 'why="log",instance="i"')]: '_x10 3x40' },
    {
      silent: '12m',
      fires: '18m',
      summary: '3 feeds were answered and not recorded: training does not see them',
    },
  ),
  turns(
    'FreshetBreakerOpen',
    { [of('freshet_call_breaker', 'service="ranker",replica="r",instance="i"')]: '0x10 2x20' },
    {
      silent: '12m',
      fires: '20m',
      labels: { service: 'ranker' },
      summary: 'the blender has stopped calling a replica of ranker',
    },
  ),
  turns(
    'FreshetOverloaded',
    { [of('freshet_feed_shed_total', 'kind="request",instance="i"')]: '0x10 0+10x30' },
    {
      silent: '12m',
      fires: '25m',
      summary: '50 requests were refused because too much is under way',
    },
  ),
  {
    name: 'FreshetOverloaded: ingest; prefetches are refused first, by design',
    series: {
      [of('freshet_ingest_requests_total', 'protocol="http",outcome="INGEST_OVERLOADED",instance="i"')]: '_x20 1+9x20',
      [of('freshet_feed_shed_total', 'kind="prefetch",instance="i"')]: '0+10x40',
    },
    checks: [{ alert: 'FreshetOverloaded', at: '20m', fires: [] }, once('FreshetOverloaded', '30m')],
  },
  turns(
    'FreshetSourceFailing',
    {
      [of('freshet_sources_total', 'source="trending",outcome="answered",instance="i"')]: '0+75x60',
      [of('freshet_sources_total', 'source="trending",outcome="timed-out",instance="i"')]: '0x10 0+25x50',
      [of('freshet_sources_total', 'source="popularity",outcome="answered",instance="i"')]: '0+100x60',
      [of('freshet_sources_total', 'source="popularity",outcome="failed",instance="i"')]: '0+1x60',
    },
    {
      silent: '20m',
      fires: '45m',
      labels: { source: 'trending' },
      summary: 'the source trending was left out of 25% of its requests',
    },
  ),
  turns(
    'FreshetDefect',
    { [error('CALL_INTERNAL', 'outcome="defect"')]: '_x10 1x40', [error('LOG_UNAVAILABLE')]: '0+5x50' },
    {
      silent: '9m',
      fires: '15m',
      summary: '1 errors are defects of Freshet; the log has their stack traces',
    },
  ),
]
