import { setImmediate as pause, setTimeout as sleep } from 'node:timers/promises'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { tracedBlender } from '@freshet/adapters/tracing/traced-calls'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { createSystemEngineClock } from '@freshet/adapters/system/engine-clock'
import { createSystemRandom } from '@freshet/adapters/system/random'
import { createFeedObserver } from '@freshet/blender/feed-metrics'
import { admitCall } from '@freshet/blender/admit-call'
import { createHttpApp as createFeedApp } from '@freshet/blender/server'
import { sourceObserver, viewInstruments } from '@freshet/candidate-service/observe'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { exportInspection } from '@freshet/contracts/inspection/export-user'
import {
  catalogueInspection,
  feedInspection,
  pinInspection,
  progressInspection,
  storedPinState,
  userInspection,
} from '@freshet/contracts/inspection/routes'
import { newSecret } from '@freshet/adapters/system/secret'
import { writingAs } from '@freshet/contracts/origin'
import { topicLayouts } from '@freshet/contracts/topics'
import { version } from '@freshet/domain/version'
import { createConnectors } from '@freshet/event-ingest/connectors/connectors'
import { createIngestGrpcService } from '@freshet/event-ingest/grpc'
import { createAcknowledged } from '@freshet/event-ingest/acknowledged'
import { createIngest } from '@freshet/event-ingest/ingest'
import { followSuppression } from '@freshet/event-ingest/suppression'
import { tracedIngest } from '@freshet/event-ingest/traced-ingest'
import { pseudonymous } from '@freshet/blender/pseudonymous'
import { pseudonymsOf } from '@freshet/adapters/system/pseudonyms'
import { listenHttp } from '@freshet/event-ingest/listen'
import { storedBoardTitles } from '@freshet/feature-updater/board-titles'
import { updaterInstruments, watchUpdater } from '@freshet/feature-updater/observe'
import { servingInspection } from '@freshet/ranker/inspection'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { createRateLimits } from '@freshet/service/rate-limits'
import { createRateSecret } from '@freshet/service/rate-secret'
import { limitConfigOf } from '@freshet/service/rate-settings'
import { grpcSource } from '@freshet/service/grpc-source'
import { grpcComponent, startGrpcServer } from '@freshet/service/grpc-server'
import { listen } from '@freshet/service/http-app'
import { runService, systemProcess, type ServiceContext } from '@freshet/service/lifecycle'
import { createSourceTags } from '@freshet/service/source-tags'
import { createProgress } from '@freshet/service/progress'
import { loadTrainable } from '@freshet/trainer/ranking/trainable'
import { openBrowser } from '../console/open-browser.ts'
import { openPage, ownPage } from '../console/page/build.ts'
import { createEmbedded, type Embedded } from '../embedded.ts'
import { modelInspections } from '../models/inspection.ts'
import { checkPorts } from './check-ports.ts'
import { devSchema, type DevConfig } from './config.ts'
import { fillWithSample, isEmpty, readSampleMark, writeSampleMark } from './fill.ts'
import { demoOf, openPictures } from './pictures.ts'
import { installSampleModel } from './sample-model.ts'
import { observeParts } from './observe-parts.ts'
import { operateOf } from './operate.ts'
import { startConsole } from './start-console.ts'
import { welcome } from './welcome.ts'

/** `freshet dev`: all services in this process on LMDB, until a signal ends it. `--data X` means `--data.folder X`. */
export function runDev(argv: readonly string[]): Promise<void> {
  const settings = argv.map((argument) => argument.replace(/^--data(?==|$)/, '--data.folder'))
  return runService(
    { name: 'freshet', description: 'runs everything in this process on an embedded store.', schema: devSchema, start },
    systemProcess(settings),
  )
}

async function start(context: ServiceContext<DevConfig>): Promise<void> {
  const { config, logger, metrics, report, access, tracing, tls, use, inspect, readiness } = context
  // The build of the page takes as long as the services take to start.
  const page = config.console.enabled
    ? openPage(ownPage, {
        onBuild: () => logger.info('building the page of the console'),
        onProblem: (error) => report(error, { part: 'console', outcome: 'left-out' }),
      })
    : null
  const { ingestHttp, admin: adminHttp, feedHttp, console: consoleHttp } = config
  const consolePlaces = page === null ? [] : [consoleHttp]
  // What cannot listen must not make the sample first.
  await checkPorts([ingestHttp, ...(access.open ? [] : [adminHttp]), feedHttp, config.grpc, ...consolePlaces])
  const clock = createSystemClock()
  const random = createSystemRandom()
  // Another process reads the data folder first, which takes as long as the model takes to load.
  const [environment, { models, backend }] = await Promise.all([
    openEnvironment({ folder: config.data.folder, fsync: config.data.fsync, probe: true }),
    openSpecSlot(config.ranking),
  ])
  use({ name: 'data folder', warning: environment.problem, close: () => environment.close() })
  const log = createLmdbEventLog({ environment, clock, onError: (error) => report(error, { part: 'compaction' }) })
  use({ name: 'log', close: () => log.close() })
  const store = createLmdbStateStore({ environment, clock })
  use({ name: 'store', close: () => store.close() })
  await log.applyTopics(topicLayouts(config.data.partitions))

  const intakeLog = tracedLog(writingAs(log, 'event-ingest', version), tracing, { service: 'event-ingest', clock })
  const intake = { log: intakeLog, clock, config: config.ingest, metrics, report }
  const own = { clock, shared: null, ownSecret: newSecret(), metrics, report }
  const eventLimits = limitConfigOf(config.eventLimits)
  const rates = createRateLimits({ ...own, name: 'event-ingest', config: eventLimits })
  const secret = createRateSecret({ ...own, configured: eventLimits.secret })
  const sourceTags = createSourceTags({ ...own, ...eventLimits, secret })
  const feedRates = createRateLimits({ ...own, name: 'blender', config: limitConfigOf(config.feedLimits) })
  const suppression = await followSuppression({ log, clock, report, ...config.ingest })
  use(suppression.component)
  const pseudonymOf = pseudonymsOf(config.pseudonyms)
  const acknowledged = createAcknowledged({ log, clock, metrics })
  use(acknowledged.watch((error) => report(error, { part: 'acknowledged' })))
  const taking = { ...intake, rates, sourceTags, suppression, pseudonymOf, acknowledged }
  const ingest = tracedIngest(createIngest(taking), tracing)
  const connectors = createConnectors({ ingest, ...intake, pseudonymOf })
  use({ name: 'ingest', drain: () => ingest.inFlight.idle() })
  use({ name: 'model', close: () => models.close() })
  const artefacts = createFolderArtefactStore(`${config.data.folder}/artefacts`)
  const mark = readSampleMark(config.data.folder)
  const isNew = config.sample && (mark === 'unfinished' || (await isEmpty(log)))
  const pictures = isNew || mark === 'complete' ? await openPictures(() => performance.now()) : null
  if (pictures !== null) use({ name: 'pictures', close: async () => pictures.close() })
  const views = viewInstruments(metrics, clock, { writesSnapshots: true })
  const embedded = createEmbedded({
    platform: { log, store, artefacts, clock, random, engineClock: createSystemEngineClock() },
    models,
    config: {
      candidates: config.candidates,
      updater: { fold: config.fold, updater: config.updater },
      ranking: config.ranking,
      blender: config.blender,
      trainer: config.trainer,
    },
    pause: () => pause(),
    tracing,
    feedObserver: createFeedObserver(metrics, report, tracing),
    updaterInstruments: updaterInstruments(metrics, clock),
    onRetrieved: sourceObserver(metrics),
    onError: (part, error, at) => report(error, { part, ...at }),
    onModelSwapped: ({ version, planVersion }) => logger.info({ model: version, plan: planVersion }, 'model swapped'),
    onUnhealthy: (warning) => logger.warn(warning),
    onTrained: ({ version: model, stage, reason }) => logger.info({ model, stage, reason }, 'model trained'),
    ...views,
    onViewEvent: (event) => {
      views.onViewEvent(event)
      if (event.kind === 'snapshot-unusable') report(event.error, { part: 'snapshot', outcome: 'left-out' })
    },
  })
  use({
    name: 'services',
    notReady: () => embedded.unready() ?? embedded.updater.notReady(),
    warning: () => embedded.ranker.warning(),
    close: () => embedded.stop(),
  })
  const { ranker } = embedded
  logger.info({ backend, model: ranker.model() }, 'model')
  const inspectModels = modelInspections(
    { log: writingAs(log, 'freshet', version), clock, onError: (error) => report(error, { part: 'models' }) },
    artefacts,
  )
  inspect(
    servingInspection(ranker, config.ranking.surface),
    catalogueInspection(() => ranker.stats().pins),
    userInspection({ log, store, clock, titlesOf: storedBoardTitles({ log, store }) }),
    exportInspection({ log, store, clock }),
    pinInspection({ clock, stateOf: storedPinState({ log, store }), pinOf: (id) => ranker.known(id).pin }),
    feedInspection({ log }),
    progressInspection({ log, store }),
    ...inspectModels,
  )
  const operate = operateOf(context, {
    ingest,
    environment,
    log,
    store,
    clock,
    ranker,
    models: inspectModels,
    pause: () => pause(),
  })
  const known = (pinId: string): boolean => ranker.known(pinId).pin !== null
  const console =
    page === null
      ? null
      : await startConsole(context, {
          page,
          demo: pictures === null ? null : await demoOf(pictures, known),
          more: [operate],
          nowMs: () => performance.now(),
        })
  const scheme = tls.server('http') === null ? 'http' : 'https'
  // The browser loads the page while the services start.
  if (console !== null && config.console.open) openBrowser(`${scheme}://localhost:${console.port}`)
  if (isNew && pictures !== null) {
    writeSampleMark(config.data.folder, 'unfinished')
    logger.info('the data folder is empty: creating a sample catalogue with simulated users')
    const imageBase = console === null ? undefined : `${scheme}://localhost:${console.port}/pictures/`
    const size = { maxPins: config.samplePins, nowMs: clock.now(), ...(imageBase !== undefined && { imageBase }) }
    logger.info(await fillWithSample(ingest, pictures, size), 'sample')
    const { specFile, surface } = config.ranking
    const { planHash } = await loadTrainable(specFile, surface)
    const place = { log: writingAs(log, 'freshet', version), artefacts, surface, planHash, nowMs: clock.now() }
    const model = await installSampleModel(place)
    logger.info({ model }, model === null ? 'no shipped model has the spec' : 'a model ships with the sample')
    // Later starts serve the pictures of the sample too.
    writeSampleMark(config.data.folder, 'complete')
  }
  await embedded.start()
  observeParts(embedded, { folder: config.data.folder, clock, metrics })
  const updaterConfig = { fold: config.fold, updater: config.updater }
  use(watchUpdater(embedded.updater, { clock, config: updaterConfig, metrics }))
  const onDefect = (err: unknown): void => report(err, { part: 'server', outcome: 'defect' })
  await catchUp(embedded)

  const { ingest: ingestConfig, cors, admin, ingestHttp: http } = config
  const { httpPort: ingestPort, adminPort } = await listenHttp({
    ingest,
    access,
    connectors,
    clock,
    config: { ingest: ingestConfig, cors, admin, http },
    metrics,
    report,
    tls: tls.server('http'),
    use,
  })
  const blender = pseudonymous(tracedBlender(embedded.blender, tracing), pseudonymOf)
  const feedApp = createFeedApp({
    blender,
    access,
    rates: feedRates,
    timeoutMs: config.blender.defaultTimeoutMs,
    maxTimeoutMs: config.blender.maxTimeoutMs,
    maxBodyBytes: config.blender.maxBodyBytes,
    limits: config.feedHttp,
    origins: config.cors.origins,
    metrics,
    nowMs: () => performance.now(),
    onDefect,
    tls: tls.server('http'),
  })
  const feedPort = await listen(feedApp, config.feedHttp.host, config.feedHttp.port)
  use({ name: 'feed http', drain: () => feedApp.close() })
  const grpc = await startGrpcServer({
    ...config.grpc,
    services: [
      createIngestGrpcService(ingest, { metrics, report, maxStreamBatches: config.ingest.maxStreamBatches }),
      serveBlender(blender, {
        onDefect,
        defaultTimeoutMs: config.blender.defaultTimeoutMs,
        admit: (call, request) => admitCall(feedRates, grpcSource(call), request),
      }),
    ],
    access,
    descriptors: readDescriptors(),
    metrics,
    tls: tls.server('grpc'),
  })
  use(grpcComponent(grpc, readiness))
  console?.begin({ ingestPort, feedPort, adminPort: adminPort ?? null })
  process.stdout.write(
    welcome({
      consolePort: console?.port ?? null,
      isTls: tls.server('http') !== null,
      ingestPort,
      feedPort,
      grpcPort: grpc.port,
      operationsPort: context.operationsPort,
      folder: config.data.folder,
      adminPort: adminPort ?? null,
      reachable: config.access.open,
      hasPictures: pictures !== null,
    }),
  )
}

/** Folding this many records takes seconds. */
const manyRecords = 10_000

/** Waits until views and state have caught up with the log. Shows progress if that takes long, as after an import. */
async function catchUp({ updater, candidates, unready }: Embedded): Promise<void> {
  const total = await candidates.lag()
  let left = total
  const progress = createProgress({
    label: 'folding the log into the views of this start',
    unit: 'records',
    total,
    out: process.stderr,
    nowMs: () => performance.now(),
  })
  // A halted partition never catches up by itself, so it does not count.
  while (unready() !== null || (updater.notReady() === null && (await updater.lag()) > 0)) {
    const now = Math.min(left, await candidates.lag())
    if (now < left) progress.advance(left - now)
    left = now
    await sleep(20)
  }
  if (total < manyRecords) return
  progress.advance(left)
  progress.done()
}
