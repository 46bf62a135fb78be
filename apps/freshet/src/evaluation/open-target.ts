import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { ArgumentError, whole } from '../arguments.ts'
import { readConfigFile, refuseSettings } from '../config-file.ts'
import type { Ask, EvaluationTarget, TimeWindow } from './evaluate.ts'
import { createInProcessTarget } from './in-process.ts'
import { openModelFile } from './model-file.ts'
import { withNamedSources } from './named-sources.ts'
import { createRemoteTarget } from './remote.ts'
import type { AskOptions } from './request.ts'
import type { RowsFile } from './training-rows.ts'

/** The arguments that say what is evaluated, as text. */
export interface TargetArguments {
  readonly config?: string
  readonly model?: string
  readonly target?: string
  readonly feed?: string
  readonly partitions: string
}

/** How the target is asked. */
interface TargetOptions extends AskOptions {
  readonly refresh: 'event' | 'mark'
  readonly asks: readonly Ask[]
  readonly window: TimeWindow
  readonly rows: RowsFile | null
}

/** Opens running services, or all services in this process. Throws an ArgumentError if the arguments do not fit together. */
export async function openTarget(given: TargetArguments, options: TargetOptions): Promise<EvaluationTarget> {
  if ((given.target === undefined) !== (given.feed === undefined))
    throw new ArgumentError('give --target and --feed together: the first takes events, the second answers questions')
  if (given.target !== undefined && given.feed !== undefined) return openRemote(given, options)
  const { asks, window, rows } = options
  const { config, switchedOn } = withNamedSources(await readConfigFile(given.config), asks)
  for (const name of switchedOn)
    process.stderr.write(`source ${name} is switched off; --ask names it, so it is on for this whole run\n`)
  const { models } = await openSpecSlot({
    backend: config.ranking?.backend ?? 'auto',
    specFile: config.ranking?.specFile ?? null,
  })
  if (given.model !== undefined) await models.swap(await openModelFile(given.model, window))
  const partitions = whole(given.partitions, '--partitions', 1, 1024)
  const onRanked = rows === null ? {} : { onRanked: rows.add }
  try {
    return await createInProcessTarget({ ...options, ...onRanked, models, config, partitions })
  } catch (error) {
    throw refuseSettings(given.config, error)
  }
}

function openRemote(
  given: TargetArguments & { readonly target?: string; readonly feed?: string },
  options: TargetOptions,
): Promise<EvaluationTarget> {
  if (options.refresh === 'mark')
    throw new ArgumentError(
      '--refresh mark needs the services in this process; running services learn with every event',
    )
  if (given.model !== undefined)
    throw new ArgumentError('--model needs the services in this process; running services have their own models')
  return createRemoteTarget({ ...options, ingestUrl: given.target!, feedAddress: given.feed! })
}
