import { z } from 'zod'
import { defineTransform } from './transform.ts'

/** For weights that can be negative. */
export const signedLog1p = defineTransform({
  name: 'signed-log1p',
  spelling: '"signed-log1p"',
  formula: 'ln(1 + x), and −ln(1 − x) below zero',
  schema: z.literal('signed-log1p'),
  compile: (_settings, width) => (features, out, column) => {
    for (let at = column; at < features.length; at += width) {
      const value = features[at]!
      out[at] = value > 0 ? Math.log1p(value) : value < 0 ? -Math.log1p(-value) : 0
    }
  },
})
