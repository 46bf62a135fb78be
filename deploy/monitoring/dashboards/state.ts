import { chosen, gauge, perSecond, type Dashboard } from './panel.ts'

/** Redis, views, snapshots and disks. */
export const state: Dashboard = {
  uid: 'freshet-state',
  title: 'Freshet: state',
  description: 'The state store, the views of the services, their snapshots, and disks',
  rows: [
    {
      title: 'The state store',
      panels: [
        {
          title: 'Memory of Redis',
          description: 'Used share of `maxmemory` of the fullest server. A full Redis refuses commits.',
          unit: 'percentunit',
          queries: [[gauge('freshet_store_memory_used_ratio', 'release', '', 'max'), '{{release}}']],
          empty: 'on the embedded store, and where Redis has no `maxmemory`',
        },
        {
          title: 'Errors of the state store',
          description: 'Errors of all services by code and part.',
          unit: 'ops',
          queries: [[perSecond('freshet_errors_total', 'code, part', 'code=~"STORE_.+"'), '{{code}} {{part}}']],
          empty: 'while the state store answers',
        },
        {
          title: 'Free space of disks',
          description: 'Free share of the disk of each folder.',
          unit: 'percentunit',
          queries: [
            [`${chosen('freshet_disk_free_bytes')} / ${chosen('freshet_disk_size_bytes')}`, '{{instance}} {{folder}}'],
          ],
        },
      ],
    },
    {
      title: 'Views',
      panels: [
        {
          title: 'Records that views lack',
          description:
            'Records of the log that the views of a service have not folded. No value: the brokers do not answer.',
          unit: 'none',
          queries: [[gauge('freshet_view_lag_records', 'service', '', 'max'), '{{service}}']],
        },
        {
          title: 'Rows',
          description: 'Rows of the views, in the largest process of a service.',
          unit: 'none',
          queries: [[gauge('freshet_view_rows', 'service, view', '', 'max'), '{{service}} {{view}}']],
        },
        {
          title: 'Memory of views',
          description: 'In the largest process of a service.',
          unit: 'bytes',
          queries: [[gauge('freshet_view_bytes', 'service, view', '', 'max'), '{{service}} {{view}}']],
        },
        {
          title: 'Records that views rejected',
          description: 'Since the start, by reason. `CAP_REACHED`: the view is full, and newer pins are missing.',
          unit: 'none',
          queries: [[gauge('freshet_view_rejected_records', 'service, reason', '', 'max'), '{{service}} {{reason}}']],
        },
        {
          title: 'Age of the snapshot',
          description: 'Time since the last snapshot, at first since the start. A start reads the log from there.',
          unit: 's',
          queries: [
            [
              `time() - ${gauge('freshet_view_snapshot_timestamp_seconds', 'service, instance', '', 'min')}`,
              '{{service}} {{instance}}',
            ],
          ],
          empty: 'without `snapshotFolder`',
        },
      ],
    },
  ],
}
