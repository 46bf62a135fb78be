import { chosen, gauge, perSecond, quantiles, type Dashboard } from './panel.ts'

const logCodes = 'code=~"LOG_.+"'

/** How fresh the state is, and what holds it up. */
export const updater: Dashboard = {
  uid: 'freshet-updater',
  title: 'Freshet: updater and lag',
  description: 'Folding events into state: freshness, lag, outcomes and errors of the log',
  rows: [
    {
      title: 'Freshness',
      panels: [
        {
          title: 'Time until an event is in the state',
          description:
            'Time from the append of a record until the commit that folded it, by stage. `pin` follows after `user`.',
          unit: 's',
          queries: quantiles('freshet_updater_event_seconds', 'stage', '{{stage}}'),
        },
        {
          title: 'Time until an event is in the views',
          description: 'Time from the append of an engagement until the views of candidate-service have it.',
          unit: 's',
          queries: quantiles('freshet_view_event_seconds', 'service', '{{service}}'),
        },
        {
          title: 'Canaries',
          description:
            'Events that the updater sends itself and reads again, by stage and outcome. `missed`: not readable within 10 s.',
          unit: 'ops',
          queries: [[perSecond('freshet_updater_canaries_total', 'stage, outcome'), '{{stage}} {{outcome}}']],
        },
        {
          title: 'Time until a canary is readable',
          description: 'From the acknowledgement until the state was readable, by stage.',
          unit: 's',
          queries: quantiles('freshet_updater_canary_seconds', 'stage', '{{stage}}'),
        },
      ],
    },
    {
      title: 'Records',
      panels: [
        {
          title: 'Records that wait',
          description: 'Lag of the owned partitions, by process. No value: the brokers do not answer.',
          unit: 'none',
          queries: [[gauge('freshet_updater_lag_records', 'instance'), '{{instance}}']],
        },
        {
          title: 'Records by outcome',
          description: 'Folded records by stage and outcome.',
          unit: 'ops',
          queries: [[perSecond('freshet_updater_records_total', 'stage, outcome'), '{{stage}} {{outcome}}']],
        },
        {
          title: 'Dead letters',
          description: 'Records of the last hour that could not be folded; `npx freshet dlq list` shows them.',
          unit: 'none',
          queries: [
            [
              `sum by (stage) (increase(${chosen('freshet_updater_records_total', 'outcome="deadLettered"')}[1h]))`,
              '{{stage}}',
            ],
          ],
        },
        {
          title: 'Positions without an outcome',
          description: 'Positions of the last hour that a commit passed over although they have no outcome. Must be 0.',
          unit: 'none',
          queries: [
            [`sum by (stage) (increase(${chosen('freshet_updater_unaccounted_records_total')}[1h]))`, '{{stage}}'],
          ],
        },
        {
          title: 'Partitions that do not advance',
          description: 'Halted or failing partitions, and partitions whose log was replaced.',
          unit: 'none',
          queries: [
            [gauge('freshet_updater_failing_partitions', 'release'), '{{release}} failing'],
            [gauge('freshet_updater_replaced_partitions', 'release'), '{{release}} replaced'],
          ],
        },
        {
          title: 'Batches that did not begin at the stored position',
          description:
            'By topic and kind. `ROLLBACK`: the store lost its last commits, and the updater folds them again.',
          unit: 'ops',
          queries: [[perSecond('freshet_updater_moves_total', 'topic, kind'), '{{topic}} {{kind}}']],
          empty: 'while partitions stay with their process and the store loses nothing',
        },
      ],
    },
    {
      title: 'The log and the cache',
      panels: [
        {
          title: 'Errors of the log',
          description: 'Errors of all services by code and part.',
          unit: 'ops',
          queries: [[perSecond('freshet_errors_total', 'code, part', logCodes), '{{code}} {{part}}']],
          empty: 'while the log answers',
        },
        {
          title: 'Cache of decoded state',
          description: 'Estimated memory, by process.',
          unit: 'bytes',
          queries: [[gauge('freshet_updater_cache_bytes', 'instance'), '{{instance}}']],
        },
        {
          title: 'Reads that the cache answered',
          description: 'Share of reads of state since the start.',
          unit: 'percentunit',
          queries: [[gauge('freshet_updater_cache_hit_ratio', 'instance', '', 'max'), '{{instance}}']],
        },
        {
          title: 'Changes of pins that came too late',
          description: 'Catalogue changes after a newer version of their pin.',
          unit: 'ops',
          queries: [[perSecond('freshet_updater_stale_pins_total', 'release'), '{{release}}']],
          empty: 'while the catalogue sends changes in order',
        },
      ],
    },
  ],
}
