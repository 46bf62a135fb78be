import { z } from 'zod'
import { defineTransform } from './transform.ts'

/** Does not change the number. */
export const identity = defineTransform({
  name: 'identity',
  spelling: '"identity"',
  formula: 'x',
  schema: z.literal('identity'),
  compile: (_settings, width) => (features, out, column) => {
    for (let at = column; at < features.length; at += width) out[at] = features[at]!
  },
})
