import { scalarOver, type Feature } from './feature.ts'

const dayMs = 86_400_000

/** The context of these features. */
interface RequestContext {
  readonly retrievalScore: number | null
  readonly atMs: number
}

const scalar = scalarOver<RequestContext>()

/** Features of the request: the time of day (UTC) on a circle, and the sources' scores of the pin. */
export const requestFeatures: readonly Feature<RequestContext>[] = [
  scalar({
    name: 'retrieval_score',
    unit: 'score of the sources',
    missing: 0,
    needs: ['retrievalScore'],
    value: ({ retrievalScore }) => retrievalScore,
  }),
  scalar({
    name: 'hour_sin',
    unit: 'sine of the hour of the day',
    missing: 0,
    needs: [],
    of: 'request',
    value: ({ atMs }) => Math.sin((2 * Math.PI * (atMs % dayMs)) / dayMs),
  }),
  scalar({
    name: 'hour_cos',
    unit: 'cosine of the hour of the day',
    missing: 0,
    needs: [],
    of: 'request',
    value: ({ atMs }) => Math.cos((2 * Math.PI * (atMs % dayMs)) / dayMs),
  }),
]
