import { readFile } from 'node:fs/promises'
import { blenderSchema, type BlenderConfig } from '@freshet/blender/config'
import { experimentRules } from '@freshet/blender/experiments/file'
import type { Experiments } from '@freshet/experiments/experiments'
import { ExperimentsError, formatProblem } from '@freshet/experiments/file/experiments-error'
import { bucketCount } from '@freshet/experiments/file/file-schema'
import { parseExperiments } from '@freshet/experiments/file/parse'
import { warningsOf } from '@freshet/experiments/file/warnings'
import { readConfigFile, refuseSettings } from '../config-file.ts'
import type { Terminal } from '../operations/terminal.ts'

/** The options of `freshet experiments check`. */
export interface CheckArguments {
  /** File with the settings of the blender. */
  readonly config?: string
  readonly json?: boolean
}

/**
 * `freshet experiments check`: reads an experiment file as a blender would, and prints layers, arms and warnings. Throws an
 * ExperimentsError after it has printed every problem.
 */
export async function runExperimentsCheck(file: string, given: CheckArguments, terminal: Terminal): Promise<void> {
  try {
    const experiments = await readExperiments(file, given.config)
    const warnings = warningsOf(experiments)
    if (given.json === true) terminal.write(`${JSON.stringify({ ...summaryOf(experiments), warnings })}\n`)
    else
      for (const line of [...linesOf(experiments), ...warnings.map((text) => `warning: ${text}`)])
        terminal.write(`${line}\n`)
  } catch (error) {
    if (!(error instanceof ExperimentsError)) throw error
    if (given.json === true) terminal.write(`${JSON.stringify({ problems: error.problems })}\n`)
    else for (const problem of error.problems) terminal.write(`${problem.code}: ${formatProblem(problem)}\n`)
    throw error
  }
}

/** Reads an experiment file under the settings of a blender. Throws an ExperimentsError or an ArgumentError. */
export async function readExperiments(file: string, config: string | undefined): Promise<Experiments> {
  const { blender } = await readConfigFile(config)
  const settings = blenderSchema.safeParse(blender ?? {})
  if (!settings.success) throw refuseSettings(config, settings.error)
  return readExperimentFile(file, settings.data)
}

/** Reads an experiment file as a blender with these settings. Throws an ExperimentsError. */
export async function readExperimentFile(file: string, blender: BlenderConfig): Promise<Experiments> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const problem = {
      code: 'EXPERIMENTS_UNREADABLE',
      path: '',
      text: `cannot be read: ${(cause as Error).message}`,
    } as const
    throw new ExperimentsError(file, [problem], { cause })
  })
  return parseExperiments(text, file, experimentRules(blender))
}

/** An experiment file as JSON. */
export function summaryOf({ version, holdOut, layers }: Experiments) {
  return {
    version,
    holdOut: holdOut === null ? null : { share: holdOut.buckets / bucketCount },
    layers: layers.map(({ name, unit, experiments }) => ({
      name,
      unit,
      experiments: experiments.map((experiment) => ({
        name: experiment.name,
        control: experiment.control,
        arms: experiment.arms.map(({ name: arm, firstBucket, endBucket, params, ...rest }) => ({
          name: arm,
          firstBucket,
          endBucket,
          params: Object.fromEntries(params.map(({ path, value }) => [path.join('.'), value])),
          onlySources: rest.onlySources,
          withoutSources: rest.withoutSources,
          model: rest.model,
          headFactors: Object.fromEntries(rest.headFactors),
        })),
      })),
    })),
  }
}

function linesOf(experiments: Experiments): string[] {
  const { version, holdOut, layers } = summaryOf(experiments)
  return [
    `version ${version}; ${holdOut === null ? 'no hold-out' : `hold-out ${percent(holdOut.share)} of the users`}`,
    ...layers.flatMap(({ name, unit, experiments: own }) => {
      const used = own.flatMap(({ arms }) => arms).reduce((sum, arm) => sum + arm.endBucket - arm.firstBucket, 0)
      return [
        `layer ${name}, drawn by ${unit}: ${percent(used / bucketCount)} of the buckets are used`,
        ...own.flatMap(({ name: experiment, control, arms }) => [
          `  experiment ${experiment}`,
          ...arms.map((arm) => {
            const share = percent((arm.endBucket - arm.firstBucket) / bucketCount).padStart(6)
            return `    ${arm.name.padEnd(16)} ${share}  buckets ${arm.firstBucket}–${arm.endBucket - 1}  ${changesOf(arm)}${arm.name === control ? ' (control)' : ''}`
          }),
        ]),
      ]
    }),
  ]
}

type ArmSummary = ReturnType<typeof summaryOf>['layers'][number]['experiments'][number]['arms'][number]

function changesOf({ params, onlySources, withoutSources, model, headFactors }: ArmSummary): string {
  const changes = [
    ...Object.entries(params).map(([path, value]) => `${path} = ${JSON.stringify(value)}`),
    ...(onlySources.length > 0 ? [`only ${onlySources.join(', ')}`] : []),
    ...(withoutSources.length > 0 ? [`without ${withoutSources.join(', ')}`] : []),
    ...(model === '' ? [] : [`model ${model}`]),
    ...Object.entries(headFactors).map(([head, factor]) => `${head} × ${factor}`),
  ]
  return changes.join(', ') || 'no change'
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`
}
