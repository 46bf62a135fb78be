import type { ModelRecord } from '@freshet/domain/model-record'
import type { RankerModelsJson } from '@freshet/ranker/inspection'
import { unknownModel } from '@freshet/ranking/registry/registry'
import { ArgumentError } from '../arguments.ts'
import { askOperations } from '../operations/ask-operations.ts'
import { openLog, withOpen, type PlatformArguments } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import {
  changeModels,
  promotionOf,
  readRegistries,
  type ModelChange,
  type Promotion,
  type RegistryLog,
} from './registries.ts'
import { readManifests } from './manifests.ts'
import { modelStoreOf } from './model-store.ts'
import { modelsJson, type ModelsJson } from './models-json.ts'
import { modelDetails, modelLines, rankerLines } from './models-text.ts'

/** Where the registry is: a log, or the operations address of a running `freshet dev`. */
export interface ModelsArguments extends PlatformArguments {
  readonly operations?: string
  readonly surface: string
  /** The folder of models; default: that of the data folder, or those that the trainer published to the log. */
  readonly models?: string
  /** Operations addresses of rankers, whose findings are printed too. `operations` includes its own. */
  readonly ranker?: string
  readonly json?: boolean
}

/** The registries, and what a ranker found out about its models; null: no ranker was asked. */
type Found = ModelsJson & { readonly ranker: RankerModelsJson | null }

/** `freshet models list`: all models with their stages, newest change first. */
export async function runModelsList(given: ModelsArguments, terminal: Terminal): Promise<void> {
  const found = await ask(given, terminal)
  if (given.json === true) terminal.write(`${JSON.stringify(found)}\n`)
  else for (const line of [...modelLines(found), ...linesOfRanker(found)]) terminal.write(`${line}\n`)
}

/** `freshet models show VERSION`: one model with its results. Throws MODEL_UNKNOWN. */
export async function runModelsShow(version: string, given: ModelsArguments, terminal: Terminal): Promise<void> {
  const found = await ask(given, terminal)
  const models = found.surfaces.find(({ surface }) => surface === given.surface)?.models ?? []
  const model = models.find((each) => each.version === version)
  if (model === undefined)
    throw unknownModel(
      version,
      models.map((each) => each.version),
    )
  const { ranker } = found
  const isItsOwn = ranker?.serving === version || ranker?.shadow?.version === version
  if (given.json === true) terminal.write(`${JSON.stringify(isItsOwn ? { ...model, ranker } : model)}\n`)
  else
    for (const line of [...modelDetails(model), ...(isItsOwn ? linesOfRanker(found) : [])]) terminal.write(`${line}\n`)
}

function linesOfRanker({ ranker }: Found): string[] {
  return ranker === null ? [] : rankerLines(ranker)
}

/**
 * `freshet models promote VERSION`: lets a model serve all users, with `--share` a part of them as a canary, or with `--shadow`
 * score a part of the requests without being shown.
 */
export async function runModelsPromote(
  version: string,
  given: ModelsArguments & { readonly share?: string; readonly shadow?: string },
  terminal: Terminal,
): Promise<void> {
  const promotion = promotionOf(given, (message) => new ArgumentError(`--${message.replace('with ', 'with --')}`))
  const model = await change({ kind: 'promote', surface: given.surface, version, ...promotion }, given, terminal)
  terminal.write(`promoted: ${model.version} ${workOf(promotion)} of the surface ${model.surface}\n`)
}

function workOf(promotion: Promotion): string {
  if (promotion.to === 'serving') return 'serves all users'
  const percent = `${promotion.share * 100} %`
  return promotion.to === 'canary' ? `serves ${percent} of the users` : `scores ${percent} of the requests as a shadow`
}

/** `freshet models roll-back`: lets the model serve again that served before the present one. */
export async function runModelsRollBack(given: ModelsArguments, terminal: Terminal): Promise<void> {
  const model = await change({ kind: 'roll-back', surface: given.surface }, given, terminal)
  const { surfaces } = await ask(given, terminal)
  const now = surfaces.find(({ surface }) => surface === model.surface)?.serving
  terminal.write(`rolled back: ${model.version} is retired, and ${now} serves the surface ${model.surface}\n`)
}

async function ask(given: ModelsArguments, terminal: Terminal): Promise<Found> {
  const { signal } = terminal
  const operations = given.operations === undefined ? null : operationsOf(given)
  const rankers = given.ranker ?? given.operations
  const ranker =
    rankers === undefined
      ? null
      : ((await askOperations(rankers, '/v1/models/serving', { signal })) as RankerModelsJson)
  if (operations !== null)
    return { ...((await askOperations(operations, '/v1/models', { signal })) as ModelsJson), ranker }
  return withOpen(openLog(given), async (open) => {
    const at = registryLog(open, terminal)
    const registries = await readRegistries(at)
    const manifests = await readManifests(registries, modelStoreOf(given, at))
    return { ...modelsJson(registries, manifests, open.clock.now()), ranker }
  })
}

/** What a change says about its model. */
type Changed = Pick<ModelRecord, 'version' | 'surface'>

function change(wanted: ModelChange, given: ModelsArguments, terminal: Terminal): Promise<Changed> {
  if (given.operations !== undefined) {
    const query = new URLSearchParams({ surface: wanted.surface })
    if (wanted.kind === 'promote' && wanted.to !== 'serving')
      query.set(wanted.to === 'shadow' ? 'shadow' : 'share', String(wanted.share))
    const place = wanted.kind === 'promote' ? `${encodeURIComponent(wanted.version)}/promotion` : 'roll-back'
    const path = `/v1/models/${place}?${query.toString()}`
    return askOperations(operationsOf(given), path, { signal: terminal.signal, method: 'PUT' }) as Promise<Changed>
  }
  return withOpen(openLog(given), (open) => changeModels(registryLog(open, terminal), wanted))
}

function operationsOf({ operations, brokers, data }: ModelsArguments): string {
  if (brokers !== undefined || data !== undefined)
    throw new ArgumentError('--operations cannot be combined with --brokers and --data: the command asks `freshet dev`')
  return operations!
}

function registryLog({ log, clock }: Pick<RegistryLog, 'log' | 'clock'>, terminal: Terminal): RegistryLog {
  const onError = (error: Error): void => void terminal.progress.write(`freshet: ${error.message}; retrying\n`)
  return { log, clock, signal: terminal.signal, onError }
}
