import { chosen, perSecond, quantiles, type Dashboard } from './panel.ts'

const share = (outcomes: string): string =>
  `${perSecond('freshet_sources_total', 'source', `outcome=~"${outcomes}"`)} / ${perSecond('freshet_sources_total', 'source')}`

/** Where candidates come from. */
export const sources: Dashboard = {
  uid: 'freshet-sources',
  title: 'Freshet: sources',
  description: 'The sources of candidates: which answer, which are empty, which are too slow',
  rows: [
    {
      title: 'Sources',
      panels: [
        {
          title: 'Sources by outcome',
          description: 'Queries of sources by outcome: answered, empty, timed-out, failed.',
          unit: 'ops',
          queries: [[perSecond('freshet_sources_total', 'outcome'), '{{outcome}}']],
        },
        {
          title: 'Sources that answered',
          description: 'Share of requests for which a source had candidates.',
          unit: 'percentunit',
          queries: [[share('answered'), '{{source}}']],
        },
        {
          title: 'Sources that were left out',
          description: 'Share of requests for which a source was too slow or failed.',
          unit: 'percentunit',
          queries: [[share('timed-out|failed'), '{{source}}']],
          empty: 'while every source answers',
        },
        {
          title: 'Time of sources',
          description: '99th percentile of the time of a source for a request.',
          unit: 's',
          queries: quantiles('freshet_source_seconds', 'source', '{{source}}', [0.99]),
        },
        {
          title: 'Queries of sources',
          description: 'Number of queries in the chosen time.',
          unit: 'none',
          kind: 'stat',
          queries: [[`sum by (source) (increase(${chosen('freshet_sources_total')}[$__range]))`, '{{source}}']],
        },
      ],
    },
  ],
}
