import type { Inspection } from '@freshet/contracts/inspection/routes'
import type { HealthReport } from './models/health/health.ts'
import type { ShadowReport } from './models/shadow/comparison.ts'
import type { RunningRanker } from './ranker.ts'

/** What a ranker knows about the models that it runs, as JSON. */
export interface RankerModelsJson {
  readonly surface: string
  /** The version that serves. */
  readonly serving: string
  /** The last window of its inputs; null: none is complete. */
  readonly health: HealthReport | null
  /** null: there is no shadow. */
  readonly shadow: ShadowReport | null
}

/** `/v1/models/serving`: the model that serves, the health of its inputs, and how the shadow compares. */
export function servingInspection(
  ranker: Pick<RunningRanker, 'model' | 'health' | 'shadow'>,
  surface: string,
): Inspection {
  return {
    path: '/v1/models/serving',
    answer: (): Promise<RankerModelsJson> =>
      Promise.resolve({
        surface,
        serving: ranker.model().version,
        health: ranker.health(),
        shadow: ranker.shadow(),
      }),
  }
}
