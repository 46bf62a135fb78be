import { orZero } from '@freshet/columns/or-zero'
import { interestHalfLifeMs, interestWeights } from '@freshet/domain/features/interests'

import type { Catalogue } from '../views/catalogue.ts'
import type { RecentAction } from '../question.ts'

/** The lowest factor, and how fast factors fall: a pin whose topic and creator weigh −2 together counts 1 / e. */
const least = Math.exp(-4)
const steepness = 0.5

/**
 * Creates the factor that lowers the scores of pins like those that the user took back, hid, reported or dismissed. The
 * factor is exp(half the sum of two weights): the mean negative weight of the pin's topics and the negative weight of its
 * creator. Weights are summed as in the ranker's affinities. Returns null if the user disliked nothing.
 */
export function createDislikeFactor(
  recent: readonly RecentAction[],
  standing: Uint8Array,
  { catalogue, atMs }: { readonly catalogue: Catalogue; readonly atMs: number },
): ((row: number) => number) | null {
  const isAgainst = ({ action }: RecentAction, at: number): boolean =>
    standing[at] === 1 && orZero(interestWeights[action]) < 0
  if (!recent.some(isAgainst)) return null
  const topics = new Map<number, number>()
  const creators = new Map<number, number>()
  recent.forEach(({ pinId, action, occurredAtMs }, at) => {
    const row = standing[at] === 1 ? catalogue.rowOf(pinId) : -1
    if (row < 0) return
    const weight = orZero(interestWeights[action]) * 2 ** (Math.min(0, occurredAtMs - atMs) / interestHalfLifeMs)
    const count = catalogue.topicCountOf(row)
    for (let i = 0; i < count; i++) add(topics, catalogue.topicOf(row, i), weight / count)
    add(creators, catalogue.creatorOf(row), weight)
  })
  return (row) => {
    const count = catalogue.topicCountOf(row)
    let against = Math.min(0, creators.get(catalogue.creatorOf(row)) ?? 0)
    for (let i = 0; i < count; i++) against += Math.min(0, topics.get(catalogue.topicOf(row, i)) ?? 0) / count
    return against === 0 ? 1 : Math.max(least, Math.exp(steepness * against))
  }
}

function add(weights: Map<number, number>, key: number, weight: number): void {
  if (key >= 0) weights.set(key, (weights.get(key) ?? 0) + weight)
}
