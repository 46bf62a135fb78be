import type { Form } from './record.ts'

/** The parts of test/RESULTS.md, in their order. */
export const chapters = [
  'Quality',
  'The closed loop',
  'Freshness',
  'Latency, cost and throughput',
  'Memory',
  'Faults survived',
  'Equations of the oracles',
  'Hostile inputs',
  'The SDK and the page',
] as const

/** What a run needs besides the repository. */
type Need = 'containers' | 'Chromium' | 'data sets'

/** A part of the results: one command. */
export interface Section {
  readonly name: string
  readonly chapter: (typeof chapters)[number]
  readonly title: string
  readonly says?: string
  /** Script of package.json. */
  readonly script: string
  /** The option that names the file of figures, if it is not --json. */
  readonly figuresOption?: string
  readonly full: readonly string[]
  /** null: there is no small form. */
  readonly small: readonly string[] | null
  readonly needs: readonly Need[]
  /** How long a run takes on two cores, about. */
  readonly minutes: { readonly full: number; readonly small: number }
}

/** The words of the command, without `--json FILE`. */
export function commandOf(section: Section, form: Form): string {
  const words = form === 'full' ? section.full : (section.small ?? [])
  return ['npm', 'run', section.script, ...(words.length > 0 ? ['--', ...words.map(quoted)] : [])].join(' ')
}

/** How long these sections still take, about, for people. */
export function minutesLeft(left: readonly Pick<Section, 'minutes'>[], form: Form): string {
  const minutes = left.reduce((sum, section) => sum + section.minutes[form], 0)
  return minutes < 90 ? `about ${minutes} min left` : `about ${(minutes / 60).toFixed(1)} h left`
}

function quoted(word: string): string {
  return /^[\w./,=:-]+$/.test(word) ? word : `'${word}'`
}

function bench(
  name: string,
  only: string,
  minutes: Section['minutes'],
  more: Partial<Pick<Section, 'needs' | 'chapter' | 'says' | 'small'>> = {},
): Section {
  return {
    chapter: 'Latency, cost and throughput',
    needs: [],
    small: ['--only', only, '--quick'],
    ...more,
    name: `bench-${name}`,
    title: `${only[0]!.toUpperCase()}${only.slice(1)}`,
    script: 'bench',
    full: ['--only', only],
    minutes,
  }
}

const cluster = { needs: ['containers'] } as const
const fresh = { chapter: 'Freshness' } as const

/** Every part. A test checks that each record belongs to one. */
export const sections: readonly Section[] = [
  {
    name: 'quality-diginetica',
    chapter: 'Quality',
    title: 'Next item on DIGINETICA',
    says: 'ADER’s protocol: the mean over 16 weekly cycles, in %. What others published is in the last column.',
    script: 'quality',
    full: ['--only', 'merged', '--every', '200', '--set', 'diginetica'],
    small: ['--only', 'merged', '--every', '2000', '--set', 'diginetica'],
    needs: ['data sets'],
    minutes: { full: 8, small: 5 },
  },
  {
    name: 'quality-movietweetings',
    chapter: 'Quality',
    title: 'Next rating on MovieTweetings',
    says: 'Each rating is asked just before it is folded, in %; repeats are forbidden.',
    script: 'quality',
    full: ['--only', 'merged', '--every', '10', '--set', 'movietweetings'],
    small: ['--only', 'merged', '--every', '200', '--set', 'movietweetings'],
    needs: ['data sets'],
    minutes: { full: 4, small: 2 },
  },
  {
    name: 'quality-frappe',
    chapter: 'Quality',
    title: 'Frappe by the ranking language',
    says: 'Official test rows; each spec is one `.rank` file.',
    script: 'quality:frappe',
    full: ['table'],
    small: null,
    needs: ['data sets'],
    minutes: { full: 240, small: 0 },
  },
  {
    name: 'world',
    chapter: 'The closed loop',
    title: 'The product and reference policies in a simulated world',
    says: 'Share of the best page’s value; on the fifth day half of the people change their tastes.',
    script: 'world',
    figuresOption: '--figures',
    full: ['--policy', 'product,simple,popular,random'],
    small: ['--users', '50', '--pins', '800', '--days', '3', '--policy', 'product,simple,random'],
    needs: [],
    minutes: { full: 40, small: 4 },
  },
  bench('freshness-lmdb', 'freshness, one process on LMDB', { full: 3, small: 1 }, fresh),
  bench('freshness-cluster', 'freshness, Kafka and Redis', { full: 4, small: 2 }, { ...fresh, ...cluster }),
  {
    name: 'read-your-writes-lmdb',
    chapter: 'Freshness',
    title: 'Read your writes in one process',
    script: 'feeds:read-your-writes',
    full: [],
    small: ['--pairs', '500', '--merges', '50', '--without', '100'],
    needs: [],
    minutes: { full: 3, small: 1 },
  },
  {
    name: 'read-your-writes-kafka',
    chapter: 'Freshness',
    title: 'Read your writes over Kafka and Redis',
    script: 'feeds:read-your-writes',
    full: ['--on', 'kafka', '--pairs', '2000'],
    small: ['--on', 'kafka', '--pairs', '200', '--merges', '20', '--without', '50'],
    needs: ['containers'],
    minutes: { full: 4, small: 2 },
  },
  bench('get-feed', 'GetFeed, one process on LMDB', { full: 15, small: 3 }),
  bench('get-feed-cluster', 'GetFeed, five processes', { full: 10, small: 3 }, cluster),
  bench('next-page', 'next page, one process', { full: 4, small: 2 }),
  bench('ingest', 'ingest, memory and LMDB', { full: 6, small: 2 }),
  bench('ingest-kafka', 'ingest on Kafka', { full: 6, small: 2 }, cluster),
  bench('import', 'import into a data folder', { full: 3, small: 1 }),
  bench('updater-lmdb', 'feature updater on LMDB', { full: 4, small: 1 }),
  bench('updater-cluster', 'feature updater on Kafka and Redis', { full: 5, small: 2 }, cluster),
  bench('scaling', 'scaling of feature-updaters', { full: 3, small: 1 }, cluster),
  bench('hot-user', 'hot user', { full: 3, small: 1 }),
  bench('rebuild-lmdb', 'rebuild while serving on LMDB', { full: 4, small: 1 }),
  bench('rebuild-cluster', 'rebuild while serving on Kafka and Redis', { full: 5, small: 2 }, cluster),
  bench('retrieve', 'Retrieve with all sources', { full: 12, small: 2 }),
  bench('shards', 'shards of the neighbour index', { full: 5, small: 1 }),
  bench('ordering', 'ordering of a page', { full: 2, small: 1 }),
  bench('plan', 'feature plan of the ranker', { full: 2, small: 1 }),
  bench('scores', 'scores of a model against onnxruntime', { full: 3, small: 1 }),
  bench('rank', 'Rank over gRPC', { full: 4, small: 1 }),
  bench('training', 'training of a ranking model', { full: 4, small: 1 }),
  bench('walk', 'random walk, graph and Pin2Vec', { full: 10, small: 0 }, { small: null }),
  bench('vectors', 'vector search', { full: 15, small: 0 }, { small: null }),
  bench('access', 'keys, signatures and read tokens', { full: 2, small: 1 }),
  bench('bytes', 'bytes of records, states and views', { full: 2, small: 1 }, { chapter: 'Memory' }),
  bench(
    'sizes',
    'feature updater in memory: sizes, CPU, cache',
    { full: 5, small: 0 },
    { chapter: 'Memory', small: null },
  ),
  bench('updater-memory', 'feature updater, memory of many users', { full: 8, small: 1 }, { chapter: 'Memory' }),
  {
    name: 'soak',
    chapter: 'Memory',
    title: 'Memory under load',
    says: '`freshet dev` with 3,000 pins and 5,000 users under feeds and events.',
    script: 'soak',
    full: ['--minutes', '30'],
    small: ['--minutes', '1', '--pins', '500', '--users', '500', '--feeds', '20', '--events', '100'],
    needs: [],
    minutes: { full: 32, small: 2 },
  },
  {
    name: 'soak-catalogue',
    chapter: 'Memory',
    title: 'Memory with a large catalogue',
    says: '`freshet dev` with 200,000 pins, filled and started again, as after an import.',
    script: 'soak',
    full: ['--pins', '200000', '--restart', '--minutes', '1', '--feeds', '10', '--events', '50'],
    small: null,
    needs: [],
    minutes: { full: 8, small: 0 },
  },
  {
    name: 'chaos',
    chapter: 'Faults survived',
    title: 'Faults under load',
    says: 'Real processes on a real Kafka and a real Redis. In each row that holds, every accepted event is in the features exactly once.',
    script: 'chaos',
    full: [
      '--rows',
      'kill-event-ingest,kill-feature-updater,kill-candidate-service,kill-ranker,kill-blender,updater-stopped,redis-paused,redis-restarted,redis-restored,redis-replaced,kafka-restarted,kafka-unreachable,kafka-disk-full,clocks-off,partition-blender-candidate-service,partition-blender-ranker,partition-blender-redis,slow-updater,service-clocks-off',
    ],
    small: [
      '--short',
      '--rows',
      'kill-feature-updater,kafka-restarted',
      '--events-per-second',
      '100',
      '--feeds-per-second',
      '10',
      '--patient',
    ],
    needs: ['containers'],
    minutes: { full: 60, small: 2 },
  },
  {
    name: 'chaos-pairs',
    chapter: 'Faults survived',
    title: 'Faults with two of each service, with three brokers, and with everything away',
    says: 'At the load of the table above two cores are full with so many processes, so these run at less.',
    script: 'chaos',
    full: [
      '--rows',
      'kill-one-of-two-candidate-services,kill-one-of-two-rankers,kill-one-of-two-blenders,rolling-restarts,one-of-three-brokers-lost,hung-candidate-service,hung-ranker,all-hung,all-dead',
      ...['--kills', '5', '--events-per-second', '50', '--feeds-per-second', '20'],
    ],
    small: null,
    needs: ['containers'],
    minutes: { full: 15, small: 0 },
  },
  {
    name: 'simulate',
    chapter: 'Equations of the oracles',
    title: 'The feature updater against its reference, in virtual time',
    script: 'simulate',
    full: [],
    small: ['--seeds', '500'],
    needs: [],
    minutes: { full: 6, small: 1 },
  },
  {
    name: 'feeds',
    chapter: 'Equations of the oracles',
    title: 'Feeds against an independent checker',
    script: 'feeds',
    full: [],
    small: ['--feeds', '2000'],
    needs: [],
    minutes: { full: 45, small: 2 },
  },
  {
    name: 'hostile',
    chapter: 'Hostile inputs',
    title: 'Named cases and mutated requests',
    script: 'hostile',
    full: [],
    small: ['--fuzz', '400', '--only', 'http'],
    needs: [],
    minutes: { full: 3, small: 1 },
  },
  {
    name: 'flood',
    chapter: 'Hostile inputs',
    title: 'A flood of good and hostile requests',
    says: 'It judges nothing: the figures depend on the machine.',
    script: 'hostile:flood',
    full: [],
    small: ['--seconds', '2', '--connections', '16'],
    needs: [],
    minutes: { full: 1, small: 1 },
  },
  {
    name: 'sdk-faults',
    chapter: 'The SDK and the page',
    title: 'Events of the SDK under faults',
    script: 'sdk:faults',
    full: ['--outage', '10m'],
    small: [],
    needs: ['Chromium'],
    minutes: { full: 20, small: 6 },
  },
  {
    name: 'sdk-cost',
    chapter: 'The SDK and the page',
    title: 'What the SDK costs a page',
    script: 'sdk:cost',
    full: [],
    small: null,
    needs: ['Chromium'],
    minutes: { full: 1, small: 0 },
  },
  {
    name: 'console',
    chapter: 'The SDK and the page',
    title: 'The first minute with the page',
    script: 'console:figures',
    full: [],
    small: null,
    needs: ['Chromium'],
    minutes: { full: 5, small: 0 },
  },
]
