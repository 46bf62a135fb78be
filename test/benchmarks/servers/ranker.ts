import { openAccess } from '@freshet/access/access'
import { setImmediate as pause, setTimeout as sleep } from 'node:timers/promises'
import { serveRanker } from '@freshet/adapters/grpc/ranker-server'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { topicLayouts } from '@freshet/contracts/topics'
import { createRanker, type RunningRanker } from '@freshet/ranker/ranker'
import { rankerSchema } from '@freshet/ranker/config'
import { aPinRecord, aRequest, aStateRecord } from '@freshet/ranker/testing'
import { planFeatures } from '@freshet/ranking/features/plan'
import { readCandidates, type PinFacts } from '@freshet/ranking/features/read-candidates'
import { openModelSlot } from '@freshet/ranking/model/slot'
import type { RankingPage } from '@freshet/ranking/serving/page'
import type { ServingModel } from '@freshet/ranking/serving/serving-model'
import { chooseBackend } from '@freshet/ranking/tensor/backend'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { createMetrics } from '@freshet/service/metrics'
import { grpcSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { cpuMsNow } from '../bench.ts'
import { rankSource } from '../rank-model.ts'
import { serveParent } from './child.ts'

/** The ranker alone over a log in memory, with a trained model. */
const clock = createSystemClock()
const log = createMemoryEventLog({ clock })
await log.applyTopics(topicLayouts(2))
await chooseBackend('auto')
const models = await openModelSlot(rankSource(0))
const onError = (error: unknown): void => void process.stderr.write(`ranker: ${String(error)}\n`)
const config = rankerSchema.parse({})
const ranker: RunningRanker = createRanker({
  log,
  clock,
  config,
  models,
  artefacts: null,
  pause: () => pause(),
  onError,
})
const metrics = createMetrics()
const grpc = await startGrpcServer({
  access: openAccess,
  ...z.object(grpcSettings(0)).parse({}),
  host: '127.0.0.1',
  port: 0,
  services: [serveRanker(ranker, { onDefect: onError })],
  descriptors: null,
  metrics,
})

/** How long each score took, and the CPU time of one on average. */
export interface Scored {
  readonly ms: readonly number[]
  readonly cpuMs: number
}

/** What the model was asked last: the page and the facts that were read for it. */
let asked: { readonly page: RankingPage; readonly facts: PinFacts } | null = null

serveParent({
  /** Fills the views with pins that users have acted on. Returns the port. */
  async listen(pins: number) {
    for (let n = 0; n < pins; n++) {
      await log.append('pins.v1', [{ key: `p${n}`, value: aPinRecord(`p${n}`, n % 50), partition: null }])
      const state = aStateRecord(`p${n}`, 1 + (n % 20))
      await log.append('pin-features.v1', [{ key: `p${n}`, value: state, partition: null }])
    }
    await ranker.start()
    while (ranker.unready() !== null) await sleep(5)
    return grpc.port
  },
  /** Wall time and CPU time of each of `times` scores of one page of so many candidates whose features are read already. */
  async score({ candidates, times }: { readonly candidates: number; readonly times: number }) {
    if (asked === null) await rememberPage(candidates)
    const { page, facts } = asked!
    return models.use((model) => {
      const read = readCandidates(planFeatures(model.featureNames), page, facts)
      const beforeMs = cpuMsNow()
      const ms = Array.from({ length: times }, () => {
        const start = performance.now()
        model.rescore(page, read)
        return performance.now() - start
      })
      return { ms, cpuMs: (cpuMsNow() - beforeMs) / times } satisfies Scored
    })
  },
  /** Swaps the model every `everyMs` until `forMs` are over. Returns how often it was swapped. */
  async swap({ everyMs, forMs }: { readonly everyMs: number; readonly forMs: number }) {
    const before = models.stats().swapped
    const endMs = performance.now() + forMs
    for (let seed = 1; performance.now() < endMs; seed++) {
      await models.swap(rankSource(before + seed))
      await sleep(everyMs)
    }
    return models.stats().swapped - before
  },
  async stop() {
    await grpc.close()
    await ranker.stop()
    await models.close()
    await log.close()
  },
})

/** Ranks one page by a model that keeps what it was asked, then puts the first model back. */
async function rememberPage(candidates: number): Promise<void> {
  await models.swap({
    name: 'one that remembers',
    async build(): Promise<ServingModel> {
      const model = await rankSource(0).build()
      return {
        ...model,
        version: 'remembers',
        score(page, facts) {
          asked = { page, facts }
          return model.score(page, facts)
        },
      }
    },
  })
  await ranker.rank(aRequest(candidates), { timeoutMs: 10_000 })
  await models.swap(rankSource(0))
}
