import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { createFreshet } from '@freshet/client/node'
import {
  Degradation,
  Freshness,
  GetFeedRequest,
  GetFeedResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createInProcessTarget } from '@freshet/freshet/evaluation/in-process'
import { parseLine } from '@freshet/freshet/evaluation/recording'
import { createRemoteTarget } from '@freshet/freshet/evaluation/remote'
import type { EvaluationTarget } from '@freshet/freshet/evaluation/evaluate'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { afterAll, beforeAll, describe, expect, it, onTestFailed, onTestFinished } from 'vitest'
import { openCluster, testPartitions, type World } from '../harness/cluster.ts'
import { reflected } from '../harness/buf-curl.ts'
import { pass } from '../harness/eventually.ts'
import { postPins, startLoad, wholePathWorks } from '../harness/load.ts'
import { consultOracle, settled } from '../harness/oracle.ts'
import { startFleet, type Fleet } from '../harness/processes.ts'
import { generatedRecording } from '../harness/recording.ts'
import { createSentFile } from '../harness/sent-file.ts'

/** Signs the page tokens of both sides. */
const cursorKey = 'the same on both sides'

/** What is asked here is what feeds hold, not how fast they come: a busy machine must not degrade them. */
const patient = {
  FRESHET_BLENDER_USER_STATE_BUDGET_MS: '30000',
  FRESHET_BLENDER_AWAIT_BUDGET_MS: '30000',
  FRESHET_BLENDER_RETRIEVE_BUDGET_MS: '30000',
  FRESHET_BLENDER_RANK_BUDGET_MS: '30000',
  FRESHET_BLENDER_RECORD_BUDGET_MS: '30000',
}

const cluster = await openCluster()

if ('absent' in cluster) {
  describe.skip(`the whole path on Kafka and Redis (skipped: ${cluster.absent})`, () => {
    it.todo('needs Kafka and Redis')
  })
} else {
  afterAll(() => cluster.stop())

  /** Five processes on empty topics, for the tests of one block. */
  const withFleet = (env: Readonly<Record<string, string>>): { world: () => World; fleet: () => Fleet } => {
    let world: World | undefined
    let fleet: Fleet | undefined
    beforeAll(async () => {
      world = await cluster.fresh()
      const { brokers, redisUrl, keyPrefix } = world
      fleet = await startFleet({ brokers, redisUrl, env: { FRESHET_REDIS_KEY_PREFIX: keyPrefix, ...env } })
    })
    afterAll(async () => {
      await fleet?.stop()
      await world?.close()
    })
    return { world: () => world!, fleet: () => fleet! }
  }

  describe('five processes on Kafka and Redis', () => {
    const { fleet } = withFleet({ ...patient, FRESHET_BLENDER_CURSOR_KEY: cursorKey })

    it('give the same feeds as one process, byte for byte', { timeout: 180_000 }, async () => {
      onTestFailed(() => console.log(fleet().logs()))
      const answers = { one: [] as GetFeedResponse[], five: [] as GetFeedResponse[] }
      // Recorded feeds: what one of them served, later ones must not repeat, on both sides.
      const asked = { ask: { kind: 'feed' }, repeats: null, depth: 20, recorded: true } as const
      const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
      const remote = await createRemoteTarget({
        ...asked,
        ingestUrl: fleet().ingestUrl,
        feedAddress: fleet().feedAddress,
        onAnswer: (answer) => answers.five.push(answer as GetFeedResponse),
      })
      const local = await createInProcessTarget({
        ...asked,
        models,
        // No trainer on either side: what it learns depends on the order across partitions and on when it publishes.
        config: { trainer: null, blender: { cursorKey } },
        refresh: 'event',
        partitions: testPartitions,
        onAnswer: (answer) => answers.one.push(answer as GetFeedResponse),
      })
      const sizes = { seed: 7, pins: 300, users: 40, engagements: 800, questions: 100 }
      const lines = generatedRecording({ ...sizes, startMs: Math.floor(Date.now() / 1000) * 1000 - 7_200_000 })
      let number = 0
      for (const text of lines) {
        const line = parseLine(text, `generated:${++number}`)
        if (line.kind === 'question') await Promise.all([local.ask(line.question), remote.ask(line.question)])
        else await Promise.all([tell(local, line), tell(remote, line)])
      }
      await Promise.all([local.close(), remote.close()])
      await models.close()
      const differing = answers.one.flatMap((one, at) => {
        const five = answers.five[at]!
        return comparedBytes(one).equals(comparedBytes(five)) ? [] : [{ question: at + 1, one, five }]
      })
      if (differing.length > 0) console.log(JSON.stringify(differing.slice(0, 3), null, 1))
      const pins = answers.one.reduce((sum, { items }) => sum + items.length, 0)
      const bytes = answers.one.reduce((sum, answer) => sum + comparedBytes(answer).length, 0)
      console.log(
        `${answers.one.length} feeds of ${pins} pins and ${bytes} bytes, of ${new Set(answers.one.map(({ degradation }) => degradation)).size} degradations; ${differing.length} differ`,
      )
      expect(answers.five.length).toBe(answers.one.length)
      expect(answers.one.length).toBeGreaterThanOrEqual(100)
      expect(pins).toBeGreaterThan(1_500)
      expect(differing).toEqual([])
    })

    it.each([
      ['event-ingest', 'freshet.ingest.v1.EventIngest', 'PostEngagements'],
      ['candidate-service', 'freshet.retrieval.v1.CandidateService', 'Retrieve'],
      ['ranker', 'freshet.ranking.v1.Ranker', 'Rank'],
      ['blender', 'freshet.blending.v1.Blender', 'GetFeed'],
    ] as const)('A28: describe the services of %s to tools', async (name, service, method) => {
      const server = reflected(fleet()[name].ports.grpc)
      expect(await server.services()).toContain(service)
      expect(await server.methods()).toContain(`${service}/${method}`)
      expect(await server.call('grpc.health.v1.Health/Check', { service })).toEqual({ status: 'SERVING' })
      // An empty request is refused by some, in the service's own words: it arrived.
      const answer = await server.call(`${service}/${method}`).catch((error: unknown) => (error as Error).message)
      expect(JSON.stringify(answer)).toMatch(/BATCH_EMPTY|user_id|userId|surface|invalid_argument/)
    })

    it('change a feed by what was posted through the SDK, and say that it is current', async () => {
      onTestFailed(() => console.log(fleet().logs()))
      await postPins(fleet().ingestUrl, 60)
      const sdk = createFreshet({ ingestUrl: fleet().ingestUrl, feedUrl: fleet().feedUrl })
      const blender = createBlenderClient({ address: fleet().feedAddress })
      const userId = 'reader'
      const ask = (after: readonly string[]) =>
        blender.getFeed(
          GetFeedRequest.fromPartial({ userId, pageSize: 20, after: [...after], evaluation: { dryRun: true } }),
          {
            timeoutMs: 5_000,
          },
        )
      const before = await ask([])
      const [first, second, third] = before.items.map(({ pinId }) => pinId)
      void sdk.track({ userId, action: 'hide', pinId: first! })
      void sdk.track({ userId, action: 'click', pinId: second! })
      void sdk.track({ userId, action: 'save', pinId: third!, boardId: 'kitchen' })
      expect(await sdk.flush()).toEqual({ left: 0 })
      const token = sdk.tokenOf(userId)
      expect(token).not.toBeNull()
      const after = await ask([token!])
      expect(after.freshness).toBe(Freshness.CURRENT)
      expect(after.degradation).toBe(Degradation.NONE)
      expect(before.items.length).toBe(20)
      expect(after.items.length).toBe(20)
      expect(after.items.map(({ pinId }) => pinId)).not.toContain(first)
      expect(after.items.map(({ pinId }) => pinId)).not.toEqual(before.items.map(({ pinId }) => pinId))
      // The same over HTTP, as the SDK asks: it carries the token by itself.
      const feed = await sdk.feed({ userId, pageSize: 10 })
      expect(feed.freshness).toBe('CURRENT')
      expect(feed.items.map(({ pinId }) => pinId)).not.toContain(first)
      await sdk.close()
      blender.close()
    })
  })

  describe('no event is lost or counted twice', () => {
    const { world, fleet } = withFleet({})
    const file = createSentFile()
    afterAll(() => file.remove())
    const loaded = {
      eventsPerSecond: 150,
      feedsPerSecond: 10,
      users: 200,
      pins: 300,
      repeatShare: 0.02,
      lateShare: 0.01,
    }

    it('when each service is stopped and started again', { timeout: 180_000 }, async () => {
      onTestFailed(() => console.log(fleet().logs()))
      await postPins(fleet().ingestUrl, 300)
      const load = startLoad({ ...loaded, fleet: fleet(), file, seed: 1, userPrefix: 'term-' })
      onTestFinished(load.abandon)
      for (const service of fleet().all) {
        await pass(500)
        const end = await service.stop()
        expect(end, service.name).toMatchObject({ code: 0, signal: null })
        await service.start()
      }
      await wholePathWorks(fleet(), file, 30_000)
      await load.finish(30_000)
      await settled(world(), 30_000)
      const report = await consultOracle(world(), file)
      console.log(`SIGTERM of each service: ${report.equation}`)
      expect(report.problems).toEqual([])
      expect(report.late).toBeGreaterThan(0)
      expect(report.repeats).toBeGreaterThan(0)
      expect(report.accepted).toBe(report.applied + report.deadLettered - report.writtenUnanswered)
    })

    it('when each service is killed with -9', { timeout: 240_000 }, async () => {
      onTestFailed(() => console.log(fleet().logs()))
      const load = startLoad({ ...loaded, fleet: fleet(), file, seed: 2, userPrefix: 'kill-' })
      onTestFinished(load.abandon)
      await world().log.append('engagements.v1', [
        { key: 'nobody', value: new Uint8Array([0xff, 0xff, 0xff]), partition: null },
        { key: 'somebody', value: new Uint8Array([8, 1]), partition: null },
      ])
      for (const service of fleet().all) {
        await pass(500)
        await service.kill()
        await service.start()
        await wholePathWorks(fleet(), file, 40_000)
      }
      await load.finish(30_000)
      await settled(world(), 40_000)
      const report = await consultOracle(world(), file, 2)
      console.log(`kill -9 of each service: ${report.equation}`)
      expect(report.problems).toEqual([])
      expect(report.deadLettered).toBe(2)
      expect(report.accepted + report.writtenUnanswered + report.planted).toBe(report.applied + report.deadLettered)
    })
  })
}

/**
 * The bytes of an answer without what the time and chance of a process decide: the id of the feed, which is the time of the call and random
 * bits, and how long each stage took.
 */
function comparedBytes(answer: GetFeedResponse): Buffer {
  const stages = answer.stages.map((stage) => ({ ...stage, tookUs: 0 }))
  return Buffer.from(GetFeedResponse.encode({ ...answer, feedId: '', stages }).finish())
}

async function tell(target: EvaluationTarget, line: Exclude<ReturnType<typeof parseLine>, { kind: 'question' }>) {
  if (line.kind === 'pin') await target.pin(line.value, line.place)
  else if (line.kind === 'engagement') await target.engagement(line.value, line.place)
  else await target.mark(line.name)
}
