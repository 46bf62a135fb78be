import { expect, it } from 'vitest'
import { relatedFigures } from './related.ts'

/** The small form of the related pins in `npm run quality`: about 1,000 pictures. */
it('related pins have more to do with the open pin than its nearest neighbours and than popular pins', async () => {
  const [popular, nearest, related] = await relatedFigures(10, 1_000)
  expect(related!.asked).toBeGreaterThan(300)
  expect(popular!.alike).toBeLessThan(0.1)
  expect(related!.alike).toBeGreaterThan(1.3 * nearest!.alike)
  expect(related!.sameThing).toBeGreaterThan(nearest!.sameThing)
})
