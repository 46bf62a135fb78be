import { orderingSchema, type OrderingConfig } from './config.ts'

/** Settings in which only the given steps are on. */
export function only(steps: { readonly [Step in keyof OrderingConfig]?: unknown }): OrderingConfig {
  const off = {
    diversity: { method: 'none' },
    spacing: { creator: { weight: 0 }, topic: { weight: 0 } },
    caps: { creator: { most: 1_000 }, topic: { most: 1_000, mostAtStart: 1_000 } },
    fatigue: { floor: 1 },
    poolTopicShare: 1,
  }
  return orderingSchema.parse({ ...off, ...steps })
}
