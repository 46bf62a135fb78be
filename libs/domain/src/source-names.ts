/** Names of the candidate sources, in the order in which answers and features list them. */
export const sourceNames = [
  'session-neighbours',
  'co-occurrence',
  'board-co-occurrence',
  'pixie-walk',
  'long-term-walk',
  'pin2vec',
  'visual-neighbours',
  'saved-boards',
  'fresh-followed',
  'trending',
  'popularity',
  'revisit',
] as const

/** The name of the sweep of the catalogue, which finds what no source finds. Requests can name it like a source. */
export const catalogueSweep = 'catalogue-sweep'
