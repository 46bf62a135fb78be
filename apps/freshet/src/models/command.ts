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
import { modelDetails, modelJson, modelLines, modelsJson, type ModelJson, type ModelsJson } from './models-json.ts'

/** Where the registry is: a log, or the operations address of a running `freshet dev`. */
export interface ModelsArguments extends PlatformArguments {
  readonly operations?: string
  readonly surface: string
  readonly json?: boolean
}

/** `freshet models list`: all models with their stages, newest change first. */
export async function runModelsList(given: ModelsArguments, terminal: Terminal): Promise<void> {
  const found = await ask(given, terminal)
  if (given.json === true) terminal.write(`${JSON.stringify(found)}\n`)
  else for (const line of modelLines(found)) terminal.write(`${line}\n`)
}

/** `freshet models show VERSION`: one model with its results. Throws MODEL_UNKNOWN. */
export async function runModelsShow(version: string, given: ModelsArguments, terminal: Terminal): Promise<void> {
  const { surfaces } = await ask(given, terminal)
  const models = surfaces.find(({ surface }) => surface === given.surface)?.models ?? []
  const model = models.find((each) => each.version === version)
  if (model === undefined)
    throw unknownModel(
      version,
      models.map((each) => each.version),
    )
  if (given.json === true) terminal.write(`${JSON.stringify(model)}\n`)
  else for (const line of modelDetails(model)) terminal.write(`${line}\n`)
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

function ask(given: ModelsArguments, terminal: Terminal): Promise<ModelsJson> {
  if (given.operations !== undefined)
    return askOperations(operationsOf(given), '/v1/models', terminal.signal) as Promise<ModelsJson>
  return withOpen(openLog(given), async (open) => modelsJson(await readRegistries(registryLog(open, terminal))))
}

function change(wanted: ModelChange, given: ModelsArguments, terminal: Terminal): Promise<ModelJson> {
  if (given.operations !== undefined) {
    const query = new URLSearchParams({ surface: wanted.surface })
    if (wanted.kind === 'promote' && wanted.to !== 'serving')
      query.set(wanted.to === 'shadow' ? 'shadow' : 'share', String(wanted.share))
    const place = wanted.kind === 'promote' ? `${encodeURIComponent(wanted.version)}/promotion` : 'roll-back'
    const path = `/v1/models/${place}?${query.toString()}`
    return askOperations(operationsOf(given), path, terminal.signal, 'PUT') as Promise<ModelJson>
  }
  return withOpen(openLog(given), async (open) => modelJson(await changeModels(registryLog(open, terminal), wanted)))
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
