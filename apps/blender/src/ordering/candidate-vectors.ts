import { addDirection } from '@freshet/ordering/projection'
import { widthOf, type BlockVectors } from '@freshet/ordering/vectors'
import { topicSlots } from '../facts/pin-columns.ts'
import type { PinFacts } from '../pin-facts.ts'
import { blockWidth, embeddingKinds } from '../pin-vectors.ts'
import type { OrderingViews, PoolPins } from './candidate-classes.ts'

/** Numbers in the block that says which topics and creator a pin has. */
const wordsWidth = 16

/**
 * The vectors of some pins of a pool, one row for each of `candidates`: a block for each kind of embedding that one of them has, and
 * one of topics and creator.
 */
export function candidateVectors(
  { factRows, vectorRows }: PoolPins,
  candidates: Uint16Array,
  { facts, vectors }: OrderingViews,
): BlockVectors {
  const kinds = [...embeddingKinds.keys()].filter((kind) =>
    candidates.some((candidate) => vectorRows[candidate]! >= 0 && vectors.hasBlock(vectorRows[candidate]!, kind)),
  )
  const blocks = [...kinds.map(() => blockWidth), wordsWidth]
  const rowWidth = widthOf({ blocks })
  const values = new Float32Array(candidates.length * rowWidth)
  for (let i = 0; i < candidates.length; i++) {
    const at = i * rowWidth
    const [fact, vector] = [factRows[candidates[i]!]!, vectorRows[candidates[i]!]!]
    if (vector >= 0)
      for (let block = 0; block < kinds.length; block++)
        vectors.readBlock(vector, kinds[block]!, values, at + block * blockWidth)
    if (fact >= 0) addWords(fact, facts, values, at + rowWidth - wordsWidth)
  }
  return { values, blocks }
}

/** The directions of the topics, and that of the creator with the weight of one topic, scaled to length 1. */
function addWords(row: number, facts: PinFacts, into: Float32Array, at: number): void {
  for (let i = 0; i < topicSlots; i++) {
    const topic = facts.topicAt(row, i)
    if (topic !== 0) addDirection(topic, into, at, wordsWidth)
  }
  const creator = facts.creatorOf(row)
  if (creator !== 0) addDirection(creator, into, at, wordsWidth)
  let squares = 0
  for (let i = at; i < at + wordsWidth; i++) squares += into[i]! * into[i]!
  if (squares === 0) return
  const scale = 1 / Math.sqrt(squares)
  for (let i = at; i < at + wordsWidth; i++) into[i] = into[i]! * scale
}
