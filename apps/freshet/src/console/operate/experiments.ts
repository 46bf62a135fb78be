import type { BlenderConfig } from '@freshet/blender/config'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Experiments } from '@freshet/experiments/experiments'
import { ExperimentsError, formatProblem } from '@freshet/experiments/file/experiments-error'
import { warningsOf } from '@freshet/experiments/file/warnings'
import { readExperimentFile, summaryOf } from '../../experiments/check.ts'
import { collectExperiments } from '../../experiments/collect.ts'
import { judge, type ExperimentReport } from '../../experiments/judge.ts'
import { elsewhere } from './ports.ts'
import { newestPositions, partitionsAtOnce } from './recent-feeds.ts'

/** The experiments of a deployment: the file, and what its arms did. */
export interface ExperimentsView {
  /** null: no experiment file is set, or it is with the blenders. */
  readonly file: ExperimentFile | null
  /** Whether the file is with the blenders, so that only their feeds tell of experiments. */
  readonly isFileElsewhere: boolean
  /** null: this console does not reach the log. */
  readonly report: {
    readonly feeds: number
    readonly damaged: number
    readonly level: number
    readonly experiments: readonly ExperimentReport[]
  } | null
}

/** An experiment file as a blender reads it. */
export interface ExperimentFile {
  readonly path: string
  /** null: it cannot be used. */
  readonly summary: ReturnType<typeof summaryOf> | null
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** What to read. */
export interface ExperimentsOptions {
  readonly log: EventLog | null
  /** Path of the file; null: none is set. */
  readonly file: string | null | typeof elsewhere
  readonly blender: BlenderConfig
  readonly maxFeeds: number
  /** Actions within this time after a feed count, milliseconds. */
  readonly windowMs: number
  readonly onError: (error: Error) => void
  readonly signal: AbortSignal
}

const level = 0.95
/** Engagements read for each feed at most, on average. */
const actsPerFeed = 200

/** Reads the file and judges the experiments of the newest feeds. */
export async function readExperimentsView(options: ExperimentsOptions): Promise<ExperimentsView> {
  const { file, blender } = options
  const isFileElsewhere = file === elsewhere
  const { read, plan } =
    file === null || file === elsewhere ? { read: null, plan: null } : await readFile(file, blender)
  return {
    file: read,
    isFileElsewhere,
    report: options.log === null ? null : await reportOf(options.log, plan, options),
  }
}

async function readFile(
  path: string,
  blender: BlenderConfig,
): Promise<{ readonly read: ExperimentFile; readonly plan: Experiments | null }> {
  try {
    const plan = await readExperimentFile(path, blender)
    return { read: { path, summary: summaryOf(plan), problems: [], warnings: warningsOf(plan) }, plan }
  } catch (error) {
    if (!(error instanceof ExperimentsError)) throw error
    const problems = error.problems.map((problem) => `${problem.code}: ${formatProblem(problem)}`)
    return { read: { path, summary: null, problems, warnings: [] }, plan: null }
  }
}

async function reportOf(
  log: EventLog,
  plan: Experiments | null,
  { maxFeeds, windowMs, onError, signal }: ExperimentsOptions,
): Promise<ExperimentsView['report']> {
  const [feedStarts, actStarts] = await Promise.all([
    newestPositions(log, 'feeds-served.v1', maxFeeds, signal),
    newestPositions(log, 'engagements.v1', actsPerFeed * maxFeeds, signal),
  ])
  const { experiments, feeds, damaged } = await collectExperiments(
    log,
    { fromMs: -Infinity, toMs: Infinity, windowMs, level },
    { signal, progress: { write: (text) => onError(new Error(text)) } },
    {
      startAt: (topic, partition) => (topic === 'feeds-served.v1' ? feedStarts : actStarts)[partition] ?? null,
      atOnce: partitionsAtOnce,
    },
  )
  return { feeds, damaged, level, experiments: experiments.map((experiment) => judge(experiment, plan, level)) }
}
