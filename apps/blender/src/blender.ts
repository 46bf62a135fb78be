import { ContractError, isContractError } from '@freshet/contracts/errors'
import { createFoldWatch } from '@freshet/contracts/fold-watch'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { noHeaders } from '@freshet/contracts/headers'
import { createLogWatch, followLogs } from '@freshet/contracts/log-watch'
import type { LogBatch, LogReader } from '@freshet/contracts/ports/event-log'
import type { UserCallOptions } from '@freshet/contracts/ports/calls'
import type { Wanted } from '@freshet/contracts/log-progress'
import { createPinVersions } from '@freshet/contracts/pin-versions'
import { traceOf } from '@freshet/contracts/trace-context'
import { createEngine } from '@freshet/pipeline/engine'
import { createAdmission } from './admission.ts'
import { createCursorKeys } from './cursor-keys.ts'
import { createExperimentsFile } from './experiments/file.ts'
import { inExperiments } from './experiments/in-experiments.ts'
import type { Answer } from './ladder.ts'
import { toFeedServed } from './feed-served.ts'
import { capabilities, createHeard } from './capabilities.ts'
import { explainFeed } from './explanation/explain-feed.ts'
import { getPins } from './cards/get-pins.ts'
import { createPinCards } from './cards/pin-cards.ts'
import { rankPinsRequest } from './lists/list-request.ts'
import { toRankPinsResponse } from './lists/rank-pins.ts'
import { toSearchResponse } from './search/search-by-image.ts'
import { searchRequest } from './search/search-request.ts'
import { createCreators, creatorTopic } from './facts/creators.ts'
import { feedIdMaker } from './feed-id.ts'
import { versionsOf } from './page-versions.ts'
import { createOutbox } from './outbox.ts'
import { defaultParams } from './params.ts'
import { createPinFacts, factTopic } from './pin-facts.ts'
import { createPinVectors, vectorTopics } from './pin-vectors.ts'
import { createPopular } from './popular.ts'
import { homeFeedRequest, relatedPinsRequest, type FeedRequest, type RequestBounds } from './request.ts'
import { createUserMemory } from './user-memory.ts'
import { createUserStates } from './user-states.ts'
import { commonAnswer, homeAnswer } from './feed-response.ts'
import type { BlenderOptions, RunningBlender } from './running-blender.ts'
import { createTurns } from './turns.ts'
import { createUseCases, type UseCases } from './use-cases.ts'

/** A user without events. */
const warmUpUser = 'warm-up'
/** The most locales that the blender lists as its capabilities. */
const maxLocalesListed = 1_000
/** The topics that the filters need to have read. */
const factTopics = [factTopic, creatorTopic] as const

/** Composes the blender; nothing runs before `start()`. */
export function createBlender(options: BlenderOptions): RunningBlender {
  const { log, clock, engineClock, random, config, observer } = options
  const heard = createHeard(options)
  const { candidates } = heard
  const { maxPins, maxLocales, maxSafetyLabels, maxWordsPerPin, showUnlistedPins, pageSessionTtlMs } = config
  const params = defaultParams(config)
  // If pins need not be in the catalogue, the blender must remember a deletion to keep the pin out.
  const facts = createPinFacts({
    maxPins,
    maxLocales,
    maxSafetyLabels,
    maxWordsPerPin,
    ...(showUnlistedPins && { maxDeleted: maxPins }),
  })
  const creators = createCreators({ maxCreators: config.maxCreators, progress: facts.progress })
  const vectors = createPinVectors({ maxPins: config.maxPinVectors })
  const cards = createPinCards({ maxBytes: config.maxPinCardBytes })
  const versions = createPinVersions({ maxVersions: 2 * config.maxPins })
  const memory = createUserMemory({ maxUsers: config.maxRememberedUsers })
  const experiments = createExperimentsFile({
    config,
    clock,
    onRefused: (error) => observer.failed('experiments', error),
  })
  const cursorKeys = createCursorKeys({ ...options, onError: (error) => observer.failed('cursor-key', error) })
  const admission = createAdmission({
    ...config,
    onShed: (kind) => observer.shed?.(kind),
    onEnd: (kind, error) => observer.ended?.(kind, error),
  })
  const turns = createTurns({ clock: engineClock, maxAtOnce: config.maxAtOnce })
  const popular = createPopular({ candidates, clock, config, onError: (error) => observer.failed('popular', error) })
  const outbox = createOutbox({
    log,
    clock: engineClock,
    maxWaiting: config.maxUnwrittenFeeds,
    lingerMs: config.unwrittenLingerMs,
    onLost: (feeds, error) => observer.feedLost(feeds, 'log', error),
  })
  const errorCode = (error: unknown) => (isContractError(error) ? error.code : null)
  const engine = createEngine({ clock: engineClock, errorCode, observe: (record) => observer.ran(record) })
  const unobserved = createEngine({ clock: engineClock, errorCode })
  const stopping = new AbortController()
  const foldWatch = createFoldWatch(options)
  const logWatch = createLogWatch({
    log,
    clock,
    topics: factTopics,
    ...(options.onLogReplaced && { onReplaced: options.onLogReplaced }),
  })
  let goal: readonly Wanted[] | null = []
  let reader: LogReader | null = null
  // A lockstep run calls `fold` directly and never calls `start`.
  let started = false
  let loops: Promise<unknown> = Promise.resolve()
  let composed: Promise<Composed> | null = null

  interface Composed extends UseCases {
    readonly partitions: number
    readonly feedId: ReturnType<typeof feedIdMaker>
  }

  function fold(all: LogBatch): void {
    creators.fold(all)
    // All three views have folded the same records.
    const batch = versions.current(all, facts.progress.position(all.topic, all.partition))
    facts.fold(batch)
    vectors.fold(batch)
    cards.fold(batch)
  }

  function factsUnready(): string | null {
    if (goal === null) return 'the catalogue has not been read yet'
    const noRoom = creators.problem()
    if (noRoom !== null) return noRoom
    const behind = facts.progress.missing(goal).length
    return behind === 0 ? null : `the catalogue is being read: ${behind} of ${goal.length} partitions are behind`
  }

  /** Asks the log for the number of partitions, which never changes. */
  function compose(): Promise<Composed> {
    composed ??= composeNow().catch((error: unknown) => {
      composed = null
      throw error
    })
    return composed
  }

  async function composeNow(): Promise<Composed> {
    await experiments.load()
    const partitions = await log.partitionCount('engagements.v1', { signal: stopping.signal })
    const onPointerError = (error: unknown) => observer.failed('pointer', error)
    const users = createUserStates({ ...options, partitions, ...config, onPointerError })
    const foldProblem = () => foldWatch.problem()
    const stagePorts = {
      ...options,
      ...heard,
      users,
      memory,
      facts,
      creators,
      vectors,
      factsUnready,
      popular,
      foldProblem,
    }
    return {
      ...createUseCases(stagePorts, { engine, unobserved, engineClock, turns }),
      partitions,
      feedId: feedIdMaker(random, await log.partitionCount('feeds-served.v1', { signal: stopping.signal })),
    }
  }

  function boundsOf(made: Composed, userId: string): RequestBounds {
    const [nowMs, pageTokens] = [clock.now(), cursorKeys.tokens()]
    const { partitions } = made
    return { nowMs, feedId: made.feedId(userId, nowMs), partitions, pageSessionTtlMs, pageTokens, params }
  }

  async function answerAdmitted<Request extends FeedRequest>(
    userId: string,
    read: (bounds: RequestBounds) => Request,
    call: UserCallOptions,
    answerWith: (composed: Composed, request: Request) => Promise<Answer>,
  ): Promise<{ readonly request: Request; readonly answer: Answer }> {
    const startMs = engineClock.nowMs()
    const made = await compose()
    const trace = traceOf(call.headers ?? noHeaders)
    const asked = read({ ...boundsOf(made, userId), trace, ownCreatorId: call.ownCreatorId })
    const request = inExperiments(asked, experiments.current(), config.utilityTuning)
    popular.want(request.locale)
    const answer = await answerWith(made, request)
    if (request.recorded && answer.rows.length > 0) {
      if (!outbox.offer(() => toFeedServed(request, answer), trace)) observer.feedLost(1, 'full', null)
    }
    const { surface } = request
    const { degradation, freshness } = answer
    const tookMs = engineClock.nowMs() - startMs
    const madeOf = versionsOf(request, answer)
    observer.answered({ surface, degradation, freshness, items: answer.rows.length, tookMs, madeOf })
    return { request, answer }
  }

  const serve: typeof answerAdmitted = (...given) => admission.run('request', () => answerAdmitted(...given))

  const serveFeed = (
    { userId, prefetch }: { readonly userId: string; readonly prefetch?: boolean },
    read: (bounds: RequestBounds) => FeedRequest,
    call: UserCallOptions,
  ) =>
    admission.run(prefetch === true ? 'prefetch' : 'request', () =>
      answerAdmitted(userId, read, call, ({ answer }, request) => answer(request, call)),
    )

  return {
    async getFeed(message, call) {
      const { request, answer } = await serveFeed(message, (bounds) => homeFeedRequest(message, bounds), call)
      return homeAnswer(request, answer, cursorKeys.tokens())
    },
    async getRelatedPins(message, call) {
      const { request, answer } = await serveFeed(message, (bounds) => relatedPinsRequest(message, bounds), call)
      return commonAnswer(request, answer)
    },
    async rankPins(message, call) {
      const read = (bounds: RequestBounds) => rankPinsRequest(message, bounds)
      const { request, answer } = await serve(message.userId, read, call, (made, asked) => made.answerList(asked, call))
      return toRankPinsResponse(message, request, answer)
    },
    async searchByImage(message, call) {
      const read = (bounds: RequestBounds) => searchRequest(message, bounds)
      const { request, answer } = await serve(message.userId, read, call, (made, asked) =>
        made.answerSearch(asked, call),
      )
      return toSearchResponse(request, answer)
    },
    async getPins(message) {
      const unready = factsUnready()
      if (unready !== null) throw new ContractError('CALL_UNAVAILABLE', unready)
      return getPins(message, { cards, facts, creators, nowMs: clock.now() })
    },
    explainFeed: async (message, call) =>
      explainFeed(message, call, {
        ...{ log, clock, outbox, ranker: options.ranker },
        isOn: config.answersExplainFeed,
      }),
    async getCapabilities() {
      const { stages } = await compose()
      const locales = facts.localeTags().filter((tag) => tag !== null)
      return capabilities({ heard, config, cards, stages, locales: locales.slice(0, maxLocalesListed) })
    },
    fold,
    async start() {
      started = true
      goal = null
      await compose()
      const { signal } = stopping
      await cursorKeys.agree().catch((error: unknown) => observer.failed('cursor-key', error))
      const wanted = await Promise.all(
        factTopics.map(async (topic) =>
          (await log.ends(topic, { signal })).map((position, partition) => ({ topic, partition, position })),
        ),
      )
      goal = wanted.flat()
      reader = await log.readAll({
        topics: [...vectorTopics, creatorTopic],
        maxBatchRecords: config.maxBatchRecords,
        startAt: ({ topic, partition }) =>
          (topic === creatorTopic ? facts : vectors).progress.position(topic, partition),
        onBatch: async (batch) => fold(batch),
        onError: (error, at) => observer.failed('pin-facts', error, at),
      })
      await followLogs(log, facts.progress, factTopics)
      const watching =
        options.onLogReplaced === undefined
          ? []
          : [logWatch.run(signal), foldWatch.run(signal, (error) => observer.failed('log-watch', error))]
      loops = Promise.all([popular.run(signal), experiments.run(signal), cursorKeys.run(signal), ...watching])
    },
    unready: () => factsUnready() ?? (started ? popular.unready() : null),
    warning() {
      const ofLog = options.onLogReplaced === undefined ? null : (foldWatch.problem() ?? logWatch.silent())
      return ofLog ?? experiments.refusal() ?? facts.full() ?? creators.full() ?? cards.full()
    },
    async warmUp(timeoutMs) {
      const made = await compose()
      const message = GetFeedRequest.fromPartial({ userId: warmUpUser, evaluation: { dryRun: true } })
      await made.answerUnobserved(homeFeedRequest(message, boundsOf(made, warmUpUser)), { timeoutMs })
    },
    lag: async () => (reader === null ? 0 : reader.lag()),
    refreshPopular: (timeoutMs) => popular.refresh(timeoutMs),
    flush: () => outbox.flush(),
    stats: () => ({
      facts: facts.stats(),
      vectors: vectors.stats(),
      cards: cards.stats(),
      versions: versions.stats(),
      rememberedUsers: memory.size,
      unwrittenFeeds: outbox.waiting,
      inFlight: admission.inFlight,
      waitingForTurn: turns.waiting,
    }),
    async stop() {
      stopping.abort()
      await outbox.flush()
      await loops
      await reader?.stop()
    },
  }
}
