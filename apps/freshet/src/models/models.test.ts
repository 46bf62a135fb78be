import { openAccess } from '@freshet/access/access'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { ModelRecord } from '@freshet/domain/model-record'
import { aModelRecord } from '@freshet/ranking/registry/testing'
import { createMetrics } from '@freshet/service/metrics'
import { servingInspection } from '@freshet/ranker/inspection'
import { anArtefact } from '@freshet/ranking/artefact/testing'
import { artefactName, encodeArtefact } from '@freshet/ranking/artefact/bytes'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { startOperationsServer, type OperationsServer } from '@freshet/service/operations-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeFailure } from '../failure.ts'
import { openFolder, withOpen, type OpenFolder } from '../operations/platform.ts'
import { aTerminal } from '../operations/terminal.fixture.ts'
import { runModelsList, runModelsPromote, runModelsRollBack, runModelsShow, type ModelsArguments } from './command.ts'
import { modelInspections } from './inspection.ts'

let data: string
const terminal = aTerminal()
const { printed } = terminal

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'freshet-models-'))
  const folder = await openFolder({ data }, 4)
  await folder.close()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const record = (...models: readonly ModelRecord[]): Promise<unknown> =>
  withOpen(openFolder({ data }), ({ log }) => log.append('models.v1', models.map(encodeModelRecord)))

const trained = (version: string, given: Partial<ModelRecord> = {}): ModelRecord =>
  aModelRecord({ version, results: [{ head: 'save', logLoss: 0.25, servingLogLoss: 0.5 }], ...given })

/** Stores the artefact of a model, with deciles of its head `save`. */
async function store(version: string): Promise<void> {
  const { manifest, model } = anArtefact()
  const deciles = [
    { rows: 5, weight: 5, predicted: 0.01, observed: 0.02 },
    { rows: 5, weight: 5, predicted: 0.4, observed: 0.35 },
  ]
  const metrics = { save: { ...manifest.metrics['save']!, deciles } }
  const bytes = encodeArtefact({ manifest: { ...manifest, version, metrics }, model })
  await createFolderArtefactStore(join(data, 'artefacts')).put(artefactName('home', version), bytes)
}

/** A ranker with a shadow home-2 and an input that drifted. */
const ranker = {
  model: () => ({ version: 'home-1', plan: 'plan', swapped: 0, refused: 0 }),
  health: () => ({
    model: 'home-1',
    rows: 10_000,
    features: [],
    mixedShare: null,
    crossed: { missing: [], frequent: [], drift: ['pin_age'], 'mixed-models': [] },
  }),
  shadow: () => ({
    version: 'home-2',
    serving: 'home-1',
    share: 0.5,
    pages: 120,
    failed: 1,
    skipped: 3,
    overlap: 0.84,
    correlation: 0.91,
    predictions: { save: { serving: 0.03, shadow: 0.031 }, dwell: { serving: null, shadow: 2 } },
  }),
}

/** What a command printed. */
async function answer(run: Promise<void>): Promise<string> {
  printed.length = 0
  await run
  return printed.join('')
}

const stages = async (given: ModelsArguments): Promise<readonly string[]> => {
  const { surfaces } = JSON.parse(await answer(runModelsList({ ...given, json: true }, terminal))) as {
    surfaces: { models: { version: string; stage: string }[] }[]
  }
  return surfaces.flatMap(({ models }) => models.map(({ version, stage }) => `${version} ${stage}`))
}

describe('freshet models', () => {
  const home = { surface: 'home' }

  it('lists that the built-in model serves before any training', async () => {
    expect(await answer(runModelsList({ data, ...home }, terminal))).toBe(
      'no model was trained yet; the built-in one serves\n',
    )
  })

  it('lists, shows, promotes and rolls back in a data folder', async () => {
    await record(trained('home-1'), trained('home-2'), trained('home-3', { stage: 'rejected', reason: 'worse' }))
    await runModelsPromote('home-1', { data, ...home }, terminal)
    expect(await answer(runModelsPromote('home-2', { data, ...home }, terminal))).toBe(
      'promoted: home-2 serves all users of the surface home\n',
    )
    expect(await stages({ data, ...home })).toEqual(['home-3 rejected', 'home-1 retired', 'home-2 serving'])
    const list = await answer(runModelsList({ data, ...home }, terminal))
    expect(list).toMatch(
      /^surface home: home-2 serves\n {2}home-2 {2}serving .* days old .* 100 rows {2}save 0\.2500 \(-50\.0 %\) {2}promoted by/,
    )
    expect(list).toMatch(/home-1 {2}retired .*replaced by home-2\n.*home-3 {2}rejected .*worse\n$/)
    expect(await answer(runModelsShow('home-2', { data, ...home }, terminal))).toMatch(
      /version +home-2\n(.*\n)*log loss of save: 0\.2500, the model that served 0\.5000 \(-50\.0 %\)\ncalibration: the artefact is not here/,
    )
    expect(await answer(runModelsRollBack({ data, ...home }, terminal))).toBe(
      'rolled back: home-2 is retired, and home-1 serves the surface home\n',
    )
    expect(await answer(runModelsRollBack({ data, ...home }, terminal))).toMatch(/and built-in serves/)
  })

  it('prints calibrations and deciles of models whose artefact is there', async () => {
    await record(trained('home-1'))
    await store('home-1')
    expect(await answer(runModelsList({ data, ...home }, terminal))).toContain('save 0.2500 (-50.0 %) ×1.01')
    const text = await answer(runModelsShow('home-1', { data, ...home }, terminal))
    expect(text).toContain('save on 10 held-out rows: Σ predicted / Σ label 1.010, AUC 0.7000\n')
    expect(text).toContain('  part  2         5 rows  predicted 0.4000  observed 0.3500\n')
    const json = await answer(runModelsShow('home-1', { data, ...home, json: true }, terminal))
    expect(JSON.parse(json)).toMatchObject({
      metrics: { save: { calibration: 1.01 } },
      trainedAt: expect.any(String) as string,
    })
  })

  it('promotes to a share of the users as a canary', async () => {
    await record(trained('home-1'))
    expect(await answer(runModelsPromote('home-1', { data, ...home, share: '0.05' }, terminal))).toBe(
      'promoted: home-1 serves 5 % of the users of the surface home\n',
    )
    expect(await stages({ data, ...home })).toEqual(['home-1 canary'])
  })

  it('promotes to a share of the requests as a shadow, then to a canary', async () => {
    await record(trained('home-1'))
    expect(await answer(runModelsPromote('home-1', { data, ...home, shadow: '1' }, terminal))).toBe(
      'promoted: home-1 scores 100 % of the requests as a shadow of the surface home\n',
    )
    expect(await stages({ data, ...home })).toEqual(['home-1 shadow'])
    await runModelsPromote('home-1', { data, ...home, share: '0.5' }, terminal)
    expect(await stages({ data, ...home })).toEqual(['home-1 canary'])
  })

  it.each([
    [
      'an unknown version',
      () => runModelsPromote('home-2', { data, ...home }, terminal),
      /no model home-2; did you mean home-1/,
      1,
    ],
    [
      'an unknown version to show',
      () => runModelsShow('x', { data, ...home }, terminal),
      /no model x; the registry has 1/,
      1,
    ],
    [
      'a model that serves',
      () => runModelsPromote('home-1', { data, ...home }, terminal),
      /promote another model or roll back/,
      1,
    ],
    ['a share of 0', () => runModelsPromote('home-1', { data, ...home, share: '0' }, terminal), /--share is 0/, 78],
    [
      'a share and a shadow',
      () => runModelsPromote('home-1', { data, ...home, share: '0.5', shadow: '0.5' }, terminal),
      /--share cannot be combined with --shadow/,
      78,
    ],
    ['two places', () => runModelsList({ data, ...home, operations: 'http://x' }, terminal), /cannot be combined/, 78],
  ])('refuses %s and says why', async (_, run, message, exitCode) => {
    await record(trained('home-1', { stage: 'serving' }))
    const error = await run().catch((thrown: unknown) => thrown)
    expect(describeFailure(error)).toMatchObject({ line: expect.stringMatching(message) as string, exitCode })
  })

  describe('through the operations address of a running freshet dev', () => {
    let folder: OpenFolder
    let server: OperationsServer
    let running: ModelsArguments

    beforeEach(async () => {
      await record(trained('home-1'), trained('home-2'))
      folder = await openFolder({ data })
      server = await startOperationsServer({
        access: openAccess,
        host: '127.0.0.1',
        port: 0,
        name: 'freshet',
        version: '1',
        liveness: () => ({ state: 'ready', ok: true, reasons: [] }),
        readiness: () => ({ state: 'ready', ok: true, reasons: [] }),
        metrics: createMetrics(),
        config: {},
        inspections: () => [
          ...modelInspections(
            { ...folder, onError: (error) => expect(error).toBeNull() },
            createFolderArtefactStore(join(data, 'artefacts')),
          ),
          servingInspection(ranker, 'home'),
        ],
      })
      running = { ...home, operations: `http://127.0.0.1:${server.port}` }
    })
    afterEach(async () => {
      await server.close()
      await folder.close()
    })

    it('lists, promotes and rolls back', async () => {
      await runModelsPromote('home-1', running, terminal)
      await runModelsPromote('home-2', { ...running, shadow: '0.5' }, terminal)
      expect(await stages(running)).toEqual(['home-1 serving', 'home-2 shadow'])
      await runModelsPromote('home-2', { ...running, share: '0.5' }, terminal)
      expect(await stages(running)).toEqual(['home-1 serving', 'home-2 canary'])
      expect(await answer(runModelsRollBack(running, terminal))).toMatch(/home-1 is retired, and built-in serves/)
    })

    it('prints what the ranker found out about the inputs and the shadow', async () => {
      await store('home-2')
      const text = await answer(runModelsList(running, terminal))
      expect(text).toContain('×1.01')
      expect(text).toContain('inputs of home-1 in the last 10000 rows: drift: pin_age\n')
      expect(text).toContain(
        'shadow home-2 beside home-1 on 120 pages: 84.0 % of the best 25 in common, rank correlation 0.910; 1 failed, 3 skipped\n' +
          '  mean save: shadow 0.0310, serving 0.0300\n  mean dwell: shadow 2.0000, serving –\n',
      )
      expect(await answer(runModelsShow('home-2', running, terminal))).toContain('shadow home-2 beside home-1')
      const asked = await answer(runModelsShow('home-2', { ...running, json: true }, terminal))
      expect(JSON.parse(asked)).toMatchObject({ version: 'home-2', ranker: { shadow: { pages: 120 } } })
    })

    it('refuses with the same code as in a folder', async () => {
      const error = await runModelsPromote('home-3', running, terminal).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'MODEL_UNKNOWN' })
      expect(describeFailure(error)).toMatchObject({ exitCode: 1 })
    })
  })
})
