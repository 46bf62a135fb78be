import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { parseTime } from '@freshet/contracts/json/time'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { createProgress } from '@freshet/service/progress'
import { trainerSchema } from '@freshet/trainer/config'
import { ArgumentError, whole } from '../arguments.ts'
import { readConfigFile, refuseSettings } from '../config-file.ts'
import type { EmbeddedConfig } from '../embedded.ts'
import type { Terminal } from '../operations/terminal.ts'
import { trainingJob } from '../virtual/training-job.ts'
import { createVirtualProduct } from '../virtual/product.ts'
import { createServedFeeds } from '../virtual/served-feeds.ts'
import { describeFigures } from './figures.ts'
import { startProgram } from './program.ts'
import { runWorld } from './run.ts'

/** The arguments of the command, as text. */
export interface WorldArguments {
  readonly command: string
  readonly until?: string
  readonly config?: string
  readonly seed: string
  readonly json?: boolean
  readonly partitions: string
}

/** `freshet world`: plays the product against a simulator. Standard output contains the reports of the simulator and nothing else. */
export async function runWorldCommand(given: WorldArguments, terminal: Terminal): Promise<void> {
  const seed = whole(given.seed, '--seed', 0, 0xffff_ffff)
  const untilMs = parseUntil(given.until)
  const partitions = whole(given.partitions, '--partitions', 1, 1024)
  if (given.command.trim() === '') throw new ArgumentError('--command is empty; give the program of a world')
  const config = seeded(await readConfigFile(given.config), seed)
  const { models } = await openSpecSlot({
    backend: config.ranking?.backend ?? 'auto',
    specFile: config.ranking?.specFile ?? null,
  })
  const served = createServedFeeds()
  const modelStore = createMemoryArtefactStore()
  const product = await createVirtualProduct({
    models,
    config,
    partitions,
    refresh: config.candidates?.refresh ?? 'event',
    ranked: true,
    seed,
    wrapLog: served.wrapLog,
    modelStore,
    jobs: config.trainer === null ? [] : [trainingJob(trainerSchema.parse(config.trainer ?? {}), modelStore)],
  }).catch((error: unknown) => {
    throw refuseSettings(given.config, error)
  })
  const program = startProgram(given.command)
  const stop = (): void => void program.stop(0)
  terminal.signal.addEventListener('abort', stop, { once: true })
  const day = { at: 0, share: 0 }
  const progress = createProgress({
    label: () => `virtual day ${day.at.toFixed(1)}`,
    unit: 'asks',
    total: null,
    share: () => day.share,
    out: terminal.progress,
    nowMs: () => terminal.nowMs(),
  })
  try {
    const { reports, figures } = await runWorld({
      product,
      served,
      models,
      program,
      untilMs,
      elapsedMs: () => terminal.nowMs(),
      onAsk({ nowMs, startMs, untilMs: endMs }) {
        day.at = (nowMs - startMs) / dayMs
        day.share = endMs === null ? 0 : (nowMs - startMs) / (endMs - startMs)
        progress.advance()
      },
    })
    progress.done()
    for (const report of given.json === true ? [reports.at(-1) ?? 'null'] : reports) terminal.write(`${report}\n`)
    terminal.progress.write(given.json === true ? `${JSON.stringify(figures)}\n` : describeFigures(figures))
  } catch (error) {
    terminal.signal.throwIfAborted()
    throw error
  } finally {
    terminal.signal.removeEventListener('abort', stop)
    await program.stop(graceMs)
    await product.close()
    await models.close()
  }
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** The program has this long to end after its last line. */
const graceMs = 5_000

/** `--until`: a time, or a duration from the beginning of the world. */
function parseUntil(text: string | undefined): (startMs: number) => number | null {
  if (text === undefined) return () => null
  const [, count, unit] = /^(\d+(?:\.\d+)?)([hd])$/.exec(text) ?? []
  if (count !== undefined) return (startMs) => startMs + Number(count) * (unit === 'h' ? hourMs : dayMs)
  const atMs = parseTime(text)
  if (!(atMs > 0))
    throw new ArgumentError(`--until is ${text}; give an RFC 3339 time such as 2026-01-31T12:00:00.000Z, or 36h or 2d`)
  return () => atMs
}

/** Settings in which every seed that the file does not set is `seed`. */
function seeded(config: EmbeddedConfig, seed: number): EmbeddedConfig {
  return {
    ...config,
    candidates: { seed, ...config.candidates },
    blender: { seed, ...config.blender },
    trainer: config.trainer === null ? null : { seed, ...config.trainer },
  }
}
