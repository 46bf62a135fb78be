import type { SectionRecord } from './record.ts'

/** What the table of the root README says. `{section | row | column}` is a figure of a record; everything else is words without figures. */
export const reachedRows: readonly (readonly [what: string, freshet: string, reference: string])[] = [
  [
    'next item on DIGINETICA, HR@20 / MRR@20, %',
    '{quality-diginetica | all sources merged | HR@20} / {quality-diginetica | all sources merged | MRR@20}',
    '{quality-diginetica | all sources merged | published by others}',
  ],
  [
    'next rating on MovieTweetings, HR@10 / HR@20, %',
    '{quality-movietweetings | all sources merged | HR@10} / {quality-movietweetings | all sources merged | HR@20}',
    '{quality-movietweetings | all sources merged | published by others}',
  ],
  [
    'event accepted → changed feed at 1,000 events/s, p99',
    '{bench-freshness-lmdb | 202 → changed feed at 1000 events/s, p99 | reached} embedded, {bench-freshness-cluster | 202 → changed feed at 1000 events/s, p99 | reached} on Kafka and Redis',
    '–',
  ],
  [
    'events lost or doubled in chaos runs with killed, paused and partitioned services',
    '{chaos | all runs | lost or doubled} of {chaos | all runs | accepted}',
    '–',
  ],
  [
    'Frappe, official test rows, AUC / log loss, one `.rank` file',
    '{quality-frappe | frappe-best.rank | AUC} / {quality-frappe | frappe-best.rank | log loss}',
    '{quality-frappe | frappe-best.rank | published by others}, published',
  ],
  [
    'CPU of one feed of 25 on MovieTweetings, embedded',
    '{bench-get-feed | GetFeed, MovieTweetings, c = 1, server CPU | reached}',
    '{bench-get-feed | GetFeed, MovieTweetings, c = 1, server CPU | ratio}× that of a bare gRPC echo',
  ],
]

/** A line of another README, by its beginning, that shows figures of records. */
export interface Claim {
  readonly file: string
  readonly begins: string
  readonly places: readonly string[]
}

const frappe = (spec: string): Claim => ({
  file: 'test/quality/README.md',
  begins: spec === 'best' ? '| `best`, 800 slower trees | **' : `| \`${spec}\`, `,
  places: ['AUC', 'log loss'].map((column) => `quality-frappe | frappe-${spec}.rank | ${column}`),
})
const world = (policy: string): Claim => ({
  file: 'test/worlds/README.md',
  begins: `| ${policy} | `,
  places: [...[1, 2, 3, 4, 5, 6, 7].map((day) => `day ${day}`), 'mean from day 2 on'].map(
    (column) => `world | ${policy}, seed 1 | ${column}`,
  ),
})

/** Lines of READMEs that a test compares with the records. */
export const claims: readonly Claim[] = [
  {
    file: 'test/quality/README.md',
    begins: '| **all sources merged, stacked (today)** |',
    places: ['quality-diginetica', 'quality-movietweetings'].flatMap((section) =>
      ['HR@10', 'HR@20', 'MRR@20'].map((column) => `${section} | all sources merged | ${column}`),
    ),
  },
  ...['linear', 'fm', 'dcn', 'forest', 'best'].map(frappe),
  ...['product', 'simple', 'popular', 'random'].map(world),
]

/** The table of the root README. */
export function reachedTable(records: ReadonlyMap<string, SectionRecord>): string {
  const filled = (text: string): string =>
    text.replaceAll(/\{([^{}]+)\}/g, (_all, place: string) => figureAt(records, place))
  return [
    '| what | Freshet | reference |',
    '| --- | --- | --- |',
    ...reachedRows.map((row) => `| ${row.map(filled).join(' | ')} |`),
  ].join('\n')
}

/** The figure at `section | row | column` of the full form. Throws if there is none. */
export function figureAt(records: ReadonlyMap<string, SectionRecord>, place: string): string {
  const [section = '', key = '', column = ''] = place.split(' | ')
  const run = records.get(section)?.full
  const row = run?.rows.find((each) => each.key === key)
  const figure = row?.cells[run?.columns.indexOf(column) ?? -1]
  if (figure === undefined || figure === '') throw new Error(`no record of a full run has ${place}`)
  return figure
}
