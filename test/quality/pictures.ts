/**
 * `npx node test/quality/pictures.ts [--every N]`, also the end of `npm run quality`: how well the visual embeddings of the catalogue that ships find what is alike, beside references. Only things
 * that the projection did not learn from are asked; all pictures are answers.
 */
import { readArguments } from '../harness/arguments.ts'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { readPictureVectors, type PictureVectors } from '@freshet/pictures/vectors'

/** Shares from 0 to 1 over the pictures asked. */
export interface PictureFigures {
  readonly method: string
  /** Of the five nearest pictures, those of the same topic. */
  readonly topicPrecision: number
  /** Of the pictures of the same thing in other styles, those among the five nearest. */
  readonly styleRecall: number
  readonly asked: number
}

/** Compares one in `every` things; asks the pictures that were held out, by each method. */
export function pictureFigures(every: number): readonly PictureFigures[] {
  const pictures = readPictureVectors(every)
  const random = mulberry32(1)
  const drawn = pictures.map(() => Float32Array.from({ length: 8 }, () => random() - 0.5))
  return [
    figuresOf('random', pictures, drawn),
    figuresOf(
      'colours alone',
      pictures,
      pictures.map(({ colours }) => colours),
    ),
    figuresOf(
      'visual embedding',
      pictures,
      pictures.map(({ embedding }) => embedding),
    ),
  ]
}

function figuresOf(
  method: string,
  pictures: readonly PictureVectors[],
  vectors: readonly Float32Array[],
): PictureFigures {
  let [topics, things, asked] = [0, 0, 0]
  pictures.forEach(({ code, topic, isHeldOut }, at) => {
    const others = pictures.filter((other, to) => to !== at && other.code === code).length
    if (!isHeldOut || others === 0) return
    const nearest = nearestOf(vectors, at, 5).map((to) => pictures[to]!)
    asked++
    topics += nearest.filter((other) => other.topic === topic).length / 5
    things += nearest.filter((other) => other.code === code).length / others
  })
  return { method, topicPrecision: topics / asked, styleRecall: things / asked, asked }
}

function nearestOf(vectors: readonly Float32Array[], at: number, count: number): readonly number[] {
  const from = vectors[at]!
  return vectors
    .map((vector, to) => ({
      to,
      likeness: to === at ? -Infinity : vector.reduce((sum, value, k) => sum + value * from[k]!, 0),
    }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, count)
    .map(({ to }) => to)
}

/** The figures as lines of the quality table. */
export function pictureLines(figures: readonly PictureFigures[]): readonly string[] {
  const percent = (share: number): string => (100 * share).toFixed(1).padStart(10)
  return [
    `${'pictures, unseen things'.padEnd(26)}${'topic P@5'.padStart(10)}${'recall@5'.padStart(10)}${'asked'.padStart(8)}`,
    ...figures.map(
      ({ method, topicPrecision, styleRecall, asked }) =>
        `${method.padEnd(26)}${percent(topicPrecision)}${percent(styleRecall)}${String(asked).padStart(8)}`,
    ),
  ]
}

if (process.argv[1] === import.meta.filename) {
  const values = readArguments(
    'node test/quality/pictures.ts',
    { every: { type: 'string', default: '1' } },
    { every: 'N' },
  )
  console.log(pictureLines(pictureFigures(Number(values.every))).join('\n'))
}
