import type { Benchmark } from './bench.ts'
import { getFeedClusterRows, getFeedRows } from './get-feed.ts'
import { updaterRows } from './updater.ts'
import { vectorRows } from './vectors.ts'
import { walkRows } from './walk.ts'

/** Every benchmark, in the order of the table. */
export const benchmarks: readonly Benchmark[] = [
  { name: 'GetFeed, one process on LMDB', needs: 'nothing', run: getFeedRows },
  { name: 'GetFeed, five processes on Kafka and Redis', needs: 'cluster', run: getFeedClusterRows },
  { name: 'feature updater in memory: sizes, CPU, cache', needs: 'time', run: () => updaterRows() },
  { name: 'random walk, graph and Pin2Vec', needs: 'time', run: () => walkRows() },
  { name: 'vector search', needs: 'time', run: () => vectorRows() },
]
