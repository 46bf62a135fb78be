import { z } from 'zod'

/** Settings of the health checks of the models' inputs. */
export const healthSchema = z.strictObject({
  everyPages: z.int().min(0).max(1_000_000).default(4).meta({
    description: 'The ranker compares the features of one page of so many with training; 0: of none',
    unit: 'pages',
  }),
  topRows: z.int().min(1).max(10_000).default(25).meta({
    description:
      'How many candidates of the page are compared, those with the highest utility. Training knows the pins that were shown, so all candidates would always differ from it',
    unit: 'candidates',
  }),
  windowRows: z.int().min(100).max(10_000_000).default(10_000).meta({
    description: 'After so many rows the ranker computes shares and drift, reports them, and begins again',
    unit: 'rows',
  }),
  maxMissingRise: z.number().min(0).max(1).default(0.1).meta({
    description:
      'Threshold: a feature is unhealthy if the share of rows without a value, or with the most frequent value of training, is higher than in training by more than this',
    unit: 'share',
  }),
  maxDrift: z.number().min(0).max(100).default(0.25).meta({
    description:
      'Threshold: a feature is unhealthy if the population stability index of serving against training is above this',
    unit: 'index',
  }),
  maxMixedShare: z.number().min(0).max(1).default(0.2).meta({
    description:
      'Threshold: a warning if for more than this share of pages the page before in the same session was scored by another model',
    unit: 'share',
  }),
  ignoredFeatures: z.array(z.string()).default(['hour_sin', 'hour_cos']).meta({
    description:
      'Features that are measured but never unhealthy, because a short time always differs from the time of training',
  }),
})

export type HealthConfig = z.infer<typeof healthSchema>
