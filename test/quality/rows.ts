/** A line of the quality table: one evaluation by the public command. */
export interface QualityRow {
  readonly name: string
  readonly set: 'diginetica' | 'movietweetings'
  readonly ask: string
  readonly refresh: 'event' | 'mark'
  readonly repeats: 'allow' | 'forbid'
  /** Sources that are on; null: those that are on by default. */
  readonly sources: readonly string[] | null
  /** What is to be reached, in %; figures of others are in the note. */
  readonly aims: Readonly<Partial<Record<Figure, number>>>
  readonly note: string
}

export const figures = ['hr@10', 'hr@20', 'mrr@20'] as const
export type Figure = (typeof figures)[number]

const diginetica = { set: 'diginetica', repeats: 'allow' } as const

/** The table's rows. Published figures are those of the data's README; R@20 is HR@20 where a question has one target. */
export const qualityRows: readonly QualityRow[] = [
  {
    ...diginetica,
    name: 'popularity',
    ask: 'source:popularity',
    refresh: 'event',
    sources: ['popularity'],
    aims: {},
    note: '',
  },
  {
    ...diginetica,
    name: 'co-occurrence',
    ask: 'source:co-occurrence',
    refresh: 'event',
    sources: ['co-occurrence'],
    aims: { 'hr@20': 40.79 },
    note: 'sequential rules, updated per click: 40.79',
  },
  {
    ...diginetica,
    name: 'popularity + co-occurrence',
    ask: 'candidates',
    refresh: 'event',
    sources: ['popularity', 'co-occurrence'],
    aims: { 'hr@20': 40.79 },
    note: 'sequential rules, updated per click: 40.79',
  },
  {
    ...diginetica,
    name: 'session neighbours, once a period',
    ask: 'source:session-neighbours',
    refresh: 'mark',
    sources: ['session-neighbours'],
    aims: { 'hr@20': 48.6, 'mrr@20': 17.8 },
    note: 'V-SKNN once a period: 48.59 / 17.78; ADER 50.21 / 17.32',
  },
  {
    ...diginetica,
    name: 'session neighbours',
    ask: 'source:session-neighbours',
    refresh: 'event',
    sources: ['session-neighbours'],
    aims: { 'hr@20': 50.1, 'mrr@20': 18.2 },
    note: 'V-SKNN per click: 50.11 / 18.16; ADER 50.21 / 17.32',
  },
  {
    ...diginetica,
    name: 'random walk',
    ask: 'source:pixie-walk',
    refresh: 'event',
    sources: ['pixie-walk'],
    aims: { 'hr@20': 44.3 },
    note: 'two-hop walk per click: 44.29',
  },
  {
    ...diginetica,
    name: 'Pin2Vec',
    ask: 'source:pin2vec',
    refresh: 'event',
    sources: ['pin2vec'],
    aims: { 'hr@20': 29 },
    note: '',
  },
  {
    ...diginetica,
    name: 'Pin2Vec + co-occurrence',
    ask: 'candidates',
    refresh: 'event',
    sources: ['pin2vec', 'co-occurrence'],
    aims: {},
    note: 'must be above both alone',
  },
  {
    ...diginetica,
    name: 'all sources merged',
    ask: 'candidates',
    refresh: 'event',
    sources: null,
    aims: { 'hr@20': 52, 'mrr@20': 18.5 },
    note: 'ADER, best published: 50.21 / 17.32',
  },
  {
    name: 'all sources merged',
    set: 'movietweetings',
    ask: 'candidates',
    refresh: 'event',
    repeats: 'forbid',
    sources: null,
    aims: { 'hr@10': 22.5, 'hr@20': 29 },
    note: '7-day popularity per event: 21.08 / 27.31',
  },
  {
    name: 'popularity',
    set: 'movietweetings',
    ask: 'source:popularity',
    refresh: 'event',
    repeats: 'forbid',
    sources: ['popularity'],
    aims: {},
    note: '7-day popularity per event: 21.08 / 27.31',
  },
]
