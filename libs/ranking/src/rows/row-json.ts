import type { RowBatch } from './row-batch.ts'

/** A training row as `freshet train --rows` reads it. */
export interface RowJson {
  readonly labels: Readonly<Record<string, number>>
  /** Features by name, and `user`, `pin`, `creator`, `topics`, `sources`, `surface`, `locale`, `position`, `at`, `propensity`, `source.NAME.rank`, `source.NAME.score`. What is not known is absent. */
  readonly values: Readonly<Record<string, number | string | readonly string[]>>
  readonly weight: number
}

/** A row of a batch as JSON. Features keep their names, so a feature with the name of another value hides it. */
export function rowJson(batch: RowBatch, row: number): RowJson {
  const values: Record<string, number | string | readonly string[]> = {}
  const put = (name: string, value: number | undefined): void => {
    if (value !== undefined && !Number.isNaN(value)) values[name] = value
  }
  const putText = (name: string, text: string | undefined): void => {
    if (text !== undefined && text !== '') values[name] = text
  }
  putText('user', batch.userIds[row])
  putText('pin', batch.pinIds[row])
  putText('creator', batch.creatorIds[row])
  putText('surface', batch.surfaces[row])
  putText('locale', batch.locales[row])
  const topics = batch.topics[row] ?? []
  if (topics.length > 0) values['topics'] = topics
  put('at', batch.atMs[row])
  if (batch.shown[row] === 1) put('position', batch.position[row])
  put('propensity', batch.propensity[row])
  put('retrieval.rank', batch.retrievalRank[row])
  put('retrieval.score', batch.retrievalScore[row])
  const sources = batch.sourceNames.length
  const found: string[] = []
  batch.sourceNames.forEach((name, at) => {
    const [rank, score] = [batch.sourceRanks[row * sources + at], batch.sourceScores[row * sources + at]]
    if (rank !== undefined && !Number.isNaN(rank)) found.push(name)
    put(`source.${name}.rank`, rank)
    put(`source.${name}.score`, score)
  })
  if (found.length > 0) values['sources'] = found
  const width = batch.featureNames.length
  batch.featureNames.forEach((name, at) => put(name, batch.features[row * width + at]))
  const labels = Object.entries(batch.labels)
    .map(([name, column]) => [name, column[row] ?? NaN] as const)
    .filter(([, value]) => !Number.isNaN(value))
  return { labels: Object.fromEntries(labels), values, weight: batch.weight[row] ?? 1 }
}
