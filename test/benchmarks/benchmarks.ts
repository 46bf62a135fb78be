import { accessRows } from './access.ts'
import type { Benchmark } from './bench.ts'
import { deploymentBytesRows } from './deployment-bytes.ts'
import { filterRows } from './filters.ts'
import { freshnessRows, hotUserRows, onCluster, onLmdb } from './freshness.ts'
import { getFeedClusterRows, getFeedRows } from './get-feed.ts'
import { importRows } from './import.ts'
import { ingestClusterRows, ingestRows } from './ingest.ts'
import { kafkaClientRows } from './kafka-clients.ts'
import { modelScoreRows } from './model-scores.ts'
import { nextPageClusterRows, nextPageRows } from './next-page.ts'
import { orderingRows } from './ordering.ts'
import { planRows } from './plan.ts'
import { rankRows } from './rank.ts'
import { rebuildClusterRows, rebuildLmdbRows } from './rebuild.ts'
import { retrieveRows, retrieveWhileFoldingRows } from './retrieve.ts'
import { scalingRows } from './scaling.ts'
import { shardRows } from './shards.ts'
import { updaterMemoryRows } from './updater-memory.ts'
import { updaterClusterRows, updaterLmdbRows } from './updater-throughput.ts'
import { updaterRows } from './updater.ts'
import { trainingRowsPerSecond } from './training.ts'
import { vectorRows } from './vectors.ts'
import { walkRows } from './walk.ts'

/** Every benchmark, in the order of the table. */
export const benchmarks: readonly Benchmark[] = [
  { name: 'GetFeed, one process on LMDB', needs: 'nothing', run: getFeedRows },
  { name: 'GetFeed, five processes on Kafka and Redis', needs: 'cluster', run: getFeedClusterRows },
  { name: 'next page, one process on LMDB', needs: 'nothing', run: nextPageRows },
  { name: 'next page, five processes on Kafka and Redis', needs: 'cluster', run: nextPageClusterRows },
  { name: 'ingest, memory and LMDB', needs: 'nothing', run: ingestRows },
  { name: 'ingest on Kafka', needs: 'cluster', run: ingestClusterRows },
  { name: 'import into a data folder', needs: 'nothing', run: importRows },
  { name: 'feature updater on LMDB', needs: 'nothing', run: updaterLmdbRows },
  { name: 'feature updater on Kafka and Redis', needs: 'cluster', run: updaterClusterRows },
  { name: 'feature updater, memory of many users', needs: 'nothing', run: updaterMemoryRows },
  { name: 'feature updater in memory: sizes, CPU, cache', needs: 'time', run: () => updaterRows() },
  { name: 'scaling of feature-updaters', needs: 'cluster', run: scalingRows },
  { name: 'Kafka by both client libraries', needs: 'cluster', run: kafkaClientRows },
  { name: 'freshness, one process on LMDB', needs: 'nothing', run: freshnessRows(onLmdb) },
  { name: 'freshness, Kafka and Redis', needs: 'cluster', run: freshnessRows(onCluster) },
  { name: 'hot user, one process on LMDB', needs: 'nothing', run: hotUserRows(onLmdb) },
  { name: 'hot user, Kafka and Redis', needs: 'cluster', run: hotUserRows(onCluster) },
  { name: 'rebuild while serving on LMDB', needs: 'nothing', run: rebuildLmdbRows },
  { name: 'rebuild while serving on Kafka and Redis', needs: 'cluster', run: rebuildClusterRows },
  { name: 'Retrieve with all sources', needs: 'nothing', run: retrieveRows },
  { name: 'Retrieve under 5,000 events/s', needs: 'nothing', run: retrieveWhileFoldingRows },
  { name: 'Retrieve with a filter', needs: 'nothing', run: filterRows },
  { name: 'shards of the neighbour index', needs: 'nothing', run: shardRows },
  { name: 'random walk, graph and Pin2Vec', needs: 'time', run: () => walkRows() },
  { name: 'bytes of records, states and views', needs: 'nothing', run: deploymentBytesRows },
  { name: 'ordering of a page', needs: 'nothing', run: orderingRows },
  { name: 'feature plan of the ranker', needs: 'nothing', run: planRows },
  { name: 'scores of a model against onnxruntime', needs: 'nothing', run: modelScoreRows },
  { name: 'Rank over gRPC, and a model that is swapped under load', needs: 'nothing', run: rankRows },
  { name: 'training of a ranking model', needs: 'nothing', run: trainingRowsPerSecond },
  { name: 'keys, signatures and read tokens', needs: 'nothing', run: accessRows },
  { name: 'vector search', needs: 'time', run: () => vectorRows() },
]
