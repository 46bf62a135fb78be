import { scalarOver, type Feature } from './feature.ts'

const dayMs = 86_400_000

/** What these features read of a page. */
interface RequestPage {
  readonly retrievalScores: Float32Array
  readonly atMs: number
}

const scalar = scalarOver<RequestPage>()

/** Features of the request: the time of day (UTC) on a circle, and the sources' scores of the pin. */
export const requestFeatures: readonly Feature<RequestPage>[] = [
  scalar({
    name: 'retrieval_score',
    unit: 'score of the sources',
    missing: 0,
    needs: ['retrievalScore'],
    column: ({ retrievalScores }, out) => out.set(retrievalScores),
  }),
  scalar({
    name: 'hour_sin',
    unit: 'sine of the hour of the day',
    missing: 0,
    needs: [],
    value: ({ atMs }) => Math.sin((2 * Math.PI * (atMs % dayMs)) / dayMs),
  }),
  scalar({
    name: 'hour_cos',
    unit: 'cosine of the hour of the day',
    missing: 0,
    needs: [],
    value: ({ atMs }) => Math.cos((2 * Math.PI * (atMs % dayMs)) / dayMs),
  }),
]
