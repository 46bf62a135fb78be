import { observeMemory } from '@freshet/blender/feed-metrics'
import { observe as observeCandidates } from '@freshet/candidate-service/observe'
import type { Clock } from '@freshet/domain/clock'
import { observe as observeRanker } from '@freshet/ranker/observe'
import { observeDisks } from '@freshet/service/disk-space'
import type { Metrics } from '@freshet/service/metrics'
import { observeJoiner } from '@freshet/trainer/joiner/observe'
import { observePin2Vec } from '@freshet/trainer/pin2vec/observe'
import { observeRanking } from '@freshet/trainer/ranking/observe'
import type { Embedded } from '../embedded.ts'

/** Sets the gauges of all services in this process, and of the disk of its data folder, before every scrape. */
export function observeParts(
  { blender, candidates, ranker, pin2vec, joiner, training }: Embedded,
  { folder, clock, metrics }: { readonly folder: string; readonly clock: Clock; readonly metrics: Metrics },
): void {
  observeDisks({ 'data.folder': folder }, metrics)
  observeMemory(blender, metrics)
  observeCandidates(candidates, metrics)
  observeRanker(ranker, metrics)
  if (pin2vec !== null) observePin2Vec(pin2vec, metrics)
  if (joiner !== null) observeJoiner(joiner, metrics)
  const ranking = training?.ranking
  if (ranking !== null && ranking !== undefined) observeRanking(ranking, clock, metrics)
}
