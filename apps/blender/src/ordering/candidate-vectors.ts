import { addDirection } from '@freshet/ordering/projection'
import type { BlockVectors } from '@freshet/ordering/vectors'
import { topicSlots } from '../facts/pin-columns.ts'
import type { PinFacts } from '../pin-facts.ts'
import { blockWidth, embeddingKinds } from '../pin-vectors.ts'
import type { OrderingViews, PoolPins } from './candidate-classes.ts'

/** Numbers in the block that says which topics and creator a pin has. */
const wordsWidth = 16
const blocks = [...embeddingKinds.map(() => blockWidth), wordsWidth]
const rowWidth = blocks.reduce((sum, width) => sum + width, 0)

/** The vectors of some pins of a pool: a block for each kind of embedding, and one of topics and creator. Those of the others are unknown. */
export function candidateVectors(
  { factRows, vectorRows }: PoolPins,
  candidates: Uint16Array,
  { facts, vectors }: OrderingViews,
): BlockVectors {
  const values = new Float32Array(factRows.length * rowWidth)
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!
    const at = candidate * rowWidth
    const [fact, vector] = [factRows[candidate]!, vectorRows[candidate]!]
    if (vector >= 0)
      for (let kind = 0; kind < embeddingKinds.length; kind++)
        vectors.readBlock(vector, kind, values, at + kind * blockWidth)
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
