import { z } from 'zod'
import { defineTransform } from './transform.ts'

/** For numbers with a known useful range. */
export const range = defineTransform({
  name: 'range',
  spelling: '{"range": [from, to]}',
  formula: '(x − from) / (to − from), clipped to [0, 1]',
  schema: z.strictObject({
    range: z.tuple([z.number(), z.number()]).refine(([from, to]) => from < to, 'give the smaller number first'),
  }),
  compile:
    ({ range: [from, to] }, width) =>
    (features, out, column) => {
      for (let at = column; at < features.length; at += width)
        out[at] = Math.min(1, Math.max(0, (features[at]! - from) / (to - from)))
    },
})
