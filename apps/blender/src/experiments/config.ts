import { numberSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Settings of utility tuning. */
export const utilityTuningSchema = z
  .strictObject({
    sigma: numberSetting(0, {
      description:
        'The weight of each head in `heads` is multiplied by exp(sigma) for half of the users and by exp(−sigma) for the others, so that `freshet experiments gradient` can tell what the weight does. 0: no tuning',
      unit: 'natural logarithm',
      min: 0,
      max: 2,
    }),
    share: numberSetting(1, {
      description: 'Share of the users whose weights are multiplied',
      unit: 'share',
      min: 0,
      max: 1,
    }),
    heads: z
      .array(z.string().min(1))
      .max(64)
      .default([])
      .meta({ description: 'Heads of the model whose weights are multiplied' }),
    salt: z
      .string()
      .min(1)
      .default('utility-tuning')
      .meta({ description: 'Another salt divides the users in another way' }),
  })
  .refine(({ sigma, heads }) => sigma === 0 || heads.length > 0, 'sigma is above 0, so name the heads in `heads`')

/** What `utilityTuningSchema` parses to. */
export type UtilityTuning = z.output<typeof utilityTuningSchema>
