import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { runModelsPromote, runModelsRollBack } from '@freshet/freshet/models/command'
import { readRegistries } from '@freshet/freshet/models/registries'
import { actRecord, feedRecord } from '@freshet/trainer/joiner/served.fixture'
import { afterAll, describe, expect, it, onTestFailed, onTestFinished } from 'vitest'
import { openCluster, type World } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, createServiceProcess, type ServiceProcess } from '../harness/processes.ts'

const spec = `spec home
input candidate.retrieval_score, candidate.position
training only candidate.position = 0
head save: probability = linear(log(candidate.retrieval_score), log1p(candidate.position))
utility = save
`
const cluster = await openCluster()

if ('absent' in cluster) {
  describe.skip(`models that travel by the log (skipped: ${cluster.absent})`, () => {
    it.todo('needs Kafka and Redis')
  })
} else {
  afterAll(() => cluster.stop())

  it('a model is trained, promoted, served and rolled back without a shared folder', { timeout: 120_000 }, async () => {
    const world = await cluster.fresh()
    const folder = await mkdtemp(join(tmpdir(), 'freshet-models-'))
    const [specFile, trainers] = [join(folder, 'home.rank'), join(folder, 'trainer')]
    await writeFile(specFile, spec)
    const kafka = { FRESHET_KAFKA_BROKERS: world.brokers.join(',') }
    const trainer = await aTrainer({ ...kafka, FRESHET_CHECKPOINT_FOLDER: trainers, ...training(specFile) })
    const ranker = await createServiceProcess('ranker', {
      ...kafka,
      FRESHET_RANKING_SPEC_FILE: specFile,
      FRESHET_RANKING_MODEL_RETRY_INTERVAL_MS: '500',
    })
    onTestFinished(async () => {
      await Promise.all([trainer.kill(), ranker.kill()])
      await world.close()
      await rm(folder, { recursive: true })
    })
    onTestFailed(() => console.log(trainer.logs(), ranker.logs()))
    await Promise.all([trainer.start(), ranker.start()])
    expect(await serves(ranker, 'home-untrained')).toBe(true)

    const [first = ''] = await trained(world, 1)
    await eventually('the first model serves', () => orNull(serves(ranker, first)), 30_000)
    await trained(world, 2)
    await trainer.stop()
    // A round of feeds may be enough for two trainings.
    const second = (await trained(world, 0)).at(-1) ?? ''
    await eventually('the second model serves', () => orNull(serves(ranker, second)), 30_000)
    expect((await readdir(folder)).sort()).toEqual(['home.rank', 'trainer'])

    const brokers = world.brokers.join(',')
    await runModelsPromote(first, { brokers, surface: 'home' }, terminal)
    await eventually('the promoted model serves', () => orNull(serves(ranker, first)), 30_000)
    await runModelsRollBack({ brokers, surface: 'home' }, terminal)
    await eventually('the model before serves again', () => orNull(serves(ranker, second)), 30_000)
    await ranker.stop()
    await ranker.start()
    expect(await serves(ranker, second), 'a ranker that is ready after a restart').toBe(true)

    const killed = await published(brokers, first, 3)
    expect(killed).toBe('SIGKILL')
    await runModelsPromote(first, { brokers, surface: 'home' }, terminal)
    await eventually('the model of before the killed publisher serves', () => orNull(serves(ranker, first)), 30_000)
    await ranker.kill()
    await ranker.start()
    expect(await serves(ranker, first), 'after a publisher was killed').toBe(true)

    await createLogArtefactStore({ log: world.log, onError: fail }).remove(`models/home/${second}.model`)
    await runModelsPromote(second, { brokers, surface: 'home' }, terminal)
    await eventually('the ranker is behind', async () => orNull((await refused(ranker)) === 1), 30_000)
    expect(await serves(ranker, first), 'while the promoted model is missing').toBe(true)
    // A trainer of the version before has its models in its folder only.
    await trainer.start()
    await eventually('the missing model serves', () => orNull(serves(ranker, second)), 30_000)
    expect(await refused(ranker)).toBe(0)
  })

  /** Trains every second on whatever there is; what a model is worth does not count here. */
  const training = (specFile: string): Readonly<Record<string, string>> => ({
    FRESHET_TRAINER_RANKING_SPEC_FILE: specFile,
    FRESHET_TRAINER_RANKING_TRAIN_INTERVAL_MS: '1000',
    FRESHET_TRAINER_RANKING_MIN_ROWS: '100',
    FRESHET_TRAINER_RANKING_MIN_NEW_ROWS: '100',
    FRESHET_TRAINER_RANKING_MARGIN: '1',
    FRESHET_TRAINER_JOINER_WINDOW_MS: '1000',
    FRESHET_TRAINER_JOINER_DELIVERY_MS: '0',
  })

  async function aTrainer(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
    const [operations = 0] = await freePorts(1)
    return createNodeProcess({
      name: 'trainer',
      arguments: ['apps/trainer/src/main.ts'],
      ports: { operations, http: 0, grpc: 0 },
      env: { FRESHET_OPERATIONS_PORT: String(operations), ...env },
    })
  }

  /** Serves 40 feeds whose users save some pins (round 0: none), and resolves to the versions of all models when so many have served. */
  async function trained({ log }: World, round: number): Promise<readonly string[]> {
    const startMs = Date.now() - 60_000
    for (let feed = 0; feed < (round === 0 ? 0 : 40); feed++) {
      const atMs = startMs + 1_000 * feed
      const [feedId, userId] = [`f${round}-${feed}`, `u${feed}`]
      const pinIds = Array.from({ length: 10 }, (_, pin) => `p${(feed + pin) % 40}`)
      await log.append('feeds-served.v1', [withScores(feedRecord({ feedId, userId, atMs, pinIds }))])
      const acts = pinIds.map((pinId, place) => {
        const action = (feed + place) % 3 === 0 ? 'save' : 'impression'
        return actRecord({ userId, pinId, action, atMs: atMs + 500, feedId })
      })
      await log.append('engagements.v1', acts)
    }
    const models = async (): Promise<readonly string[] | null> => {
      const clock = { now: () => Date.now() }
      const signal = AbortSignal.timeout(20_000)
      const home = (await readRegistries({ log, clock, signal, onError: fail })).get('home')
      const served = (home?.models() ?? []).filter(({ stage }) => stage === 'serving' || stage === 'retired')
      return served.length >= round ? served.map(({ version }) => version) : null
    }
    return eventually(`model ${round}`, models, 40_000)
  }

  /** The record with its first feature under the name that the spec reads. */
  function withScores(record: ReturnType<typeof feedRecord>): ReturnType<typeof feedRecord> {
    const feed = { ...FeedServed.decode(record.value!), featureNames: ['retrieval_score', 'clicks'] }
    return { ...record, value: FeedServed.encode(feed).finish() }
  }

  async function serves(ranker: ServiceProcess, version: string): Promise<boolean> {
    return (await ranker.metric(`freshet_ranker_model{model="${version}"`)) === 1
  }

  function refused(ranker: ServiceProcess): Promise<number> {
    return ranker.metric('freshet_ranker_models_refused')
  }

  async function orNull(holds: Promise<boolean> | boolean): Promise<true | null> {
    return (await holds) ? true : null
  }

  /** Runs a publisher that kills itself after so many parts; resolves to the signal that ended it. */
  function published(brokers: string, version: string, parts: number): Promise<NodeJS.Signals | null> {
    const program = join(import.meta.dirname, 'models/publish.ts')
    const child = spawn(process.execPath, [program, brokers, 'home', version, String(parts)], { stdio: 'inherit' })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (_, signal) => resolve(signal))
    })
  }

  function fail(error: Error): never {
    throw error
  }

  const nothing = { write: () => true }
  const terminal = {
    write: () => undefined,
    progress: nothing,
    signal: new AbortController().signal,
  } as unknown as Parameters<typeof runModelsPromote>[2]
}
