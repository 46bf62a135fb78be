import { z } from 'zod'
import { defineTransform } from './transform.ts'

/** For counts and ages, which grow without bound. */
export const log1p = defineTransform({
  name: 'log1p',
  spelling: '"log1p"',
  formula: 'ln(1 + max(0, x))',
  schema: z.literal('log1p'),
  compile: (_settings, width) => (features, out, column) => {
    for (let at = column; at < features.length; at += width) {
      const value = features[at]!
      out[at] = value > 0 ? Math.log1p(value) : 0
    }
  },
})
