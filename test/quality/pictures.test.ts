import { expect, it } from 'vitest'
import { pictureFigures } from './pictures.ts'

/** The small form of the pictures in `npm run quality`: one in four things. */
it('visual embeddings find the same thing in another style, and its topic, far more often than colours do', () => {
  const [random, colours, embedding] = pictureFigures(4)
  expect(embedding!.asked).toBeGreaterThan(150)
  expect(random!.topicPrecision).toBeLessThan(0.1)
  expect(embedding!.styleRecall).toBeGreaterThan(0.5)
  expect(embedding!.styleRecall).toBeGreaterThan(5 * colours!.styleRecall)
  expect(embedding!.topicPrecision).toBeGreaterThan(1.5 * colours!.topicPrecision)
})
