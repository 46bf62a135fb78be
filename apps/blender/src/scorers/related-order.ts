import { pinKeysOf } from '@freshet/domain/pin-keys'
import type { Slate } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import { topicSlots } from '../facts/pin-columns.ts'
import type { PinFacts } from '../pin-facts.ts'
import type { FeedRequest } from '../request.ts'

/**
 * The retrieval scores of related pins, times a factor from 1 to `relatedTopicFactor` for the share of the open pin's topics that each has. The
 * order is that of the sources, which start from the open pin; one that also has its topic comes before one that merely looks like it.
 */
export function relatedScores(
  { relatedToPinId, params }: Pick<FeedRequest, 'relatedToPinId' | 'params'>,
  { columns, rows }: Pick<Slate<Pick<CandidateColumns, 'keys' | 'retrievalScores'>>, 'columns' | 'rows'>,
  facts: Pick<PinFacts, 'rowOf' | 'rowsOf' | 'topicAt'>,
): Float32Array {
  const { keys, retrievalScores } = columns
  const wanted = topicsOf(relatedToPinId, facts)
  if (wanted.size === 0 || params.relatedTopicFactor === 1) return retrievalScores
  const scores = retrievalScores.slice()
  const places = facts.rowsOf(keys)
  for (const row of rows) {
    const place = places[row]!
    if (place < 0) continue
    let shared = 0
    for (let slot = 0; slot < topicSlots; slot++) if (wanted.has(facts.topicAt(place, slot))) shared++
    scores[row] = scores[row]! * (1 + ((params.relatedTopicFactor - 1) * shared) / wanted.size)
  }
  return scores
}

function topicsOf(pinId: string, facts: Pick<PinFacts, 'rowOf' | 'topicAt'>): ReadonlySet<number> {
  const { high, low } = pinKeysOf([pinId])
  const row = facts.rowOf(high[0]!, low[0]!)
  const topics = new Set<number>()
  for (let slot = 0; row >= 0 && slot < topicSlots; slot++) topics.add(facts.topicAt(row, slot))
  // 0: no further topic.
  topics.delete(0)
  return topics
}
