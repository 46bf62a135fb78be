import { readFile } from 'node:fs/promises'
import type { Clock } from '@freshet/domain/clock'
import { sourceNames } from '@freshet/domain/source-names'
import type { Experiments } from '@freshet/experiments/experiments'
import { ExperimentsError } from '@freshet/experiments/file/experiments-error'
import { parametersOf } from '@freshet/experiments/file/parameters'
import { parseExperiments, type ExperimentRules } from '@freshet/experiments/file/parse'
import type { BlenderConfig } from '../config.ts'
import { defaultParams, feedParamsSchema } from '../params.ts'

/** Keeps the experiments in step with their file. */
export interface ExperimentsFile {
  /** Reads the file for the first time. Throws an ExperimentsError. Does nothing without a file. */
  load(): Promise<void>
  /** Reads the file again if it has changed. A bad file is reported once, and the experiments stay. */
  look(): Promise<void>
  /** Looks regularly until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
  /** null: there is no file. */
  current(): Experiments | null
  /** Why the present content of the file is not used; null: it is. */
  refusal(): string | null
}

/** What the arms of a blender with these settings may change. */
export function experimentRules(config: BlenderConfig): ExperimentRules {
  return { readParameters: parametersOf(feedParamsSchema, defaultParams(config)), sources: sourceNames }
}

/** Follows the file `experimentsFile` of the settings. */
export function createExperimentsFile(options: {
  readonly config: BlenderConfig
  readonly clock: Clock
  /** Called once for each content of the file that cannot be used. */
  readonly onRefused: (error: Error) => void
}): ExperimentsFile {
  const { config, clock, onRefused } = options
  const { experimentsFile: file, experimentsReloadIntervalMs: everyMs } = config
  const rules = experimentRules(config)
  let current: Experiments | null = null
  /** Content of the file, or the error, of the last look. */
  let seen: string | null = null
  let refusal: string | null = null

  async function read(name: string): Promise<void> {
    const found = await readFile(name, 'utf8').catch((cause: unknown) => unreadable(name, cause as Error))
    const now = typeof found === 'string' ? found : found.message
    if (now === seen) return
    seen = now
    if (typeof found !== 'string') throw found
    current = parseExperiments(found, name, rules)
    refusal = null
  }

  async function look(): Promise<void> {
    if (file === null) return
    try {
      await read(file)
    } catch (error) {
      const kept = current === null ? 'there are no experiments' : `the experiments of version ${current.version} stay`
      refusal = `${kept}: ${(error as Error).message}`
      onRefused(error as Error)
    }
  }

  return {
    load: async () => (file === null ? undefined : read(file)),
    look,
    async run(signal) {
      while (file !== null && everyMs > 0 && !signal.aborted) {
        await clock.sleep(everyMs, signal).catch(() => undefined)
        if (!signal.aborted) await look()
      }
    },
    current: () => current,
    refusal: () => refusal,
  }
}

function unreadable(name: string, cause: Error): ExperimentsError {
  const text = `cannot be read: ${cause.message}`
  return new ExperimentsError(name, [{ code: 'EXPERIMENTS_UNREADABLE', path: '', text }], { cause })
}
