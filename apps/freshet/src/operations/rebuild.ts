import { positionIn } from '@freshet/contracts/followed-log'
import { familyTopic, stateScope, type StateFamily } from '@freshet/contracts/scopes'
import { updaterConfig, type UpdaterConfig } from '@freshet/feature-updater/config'
import {
  dropGeneration,
  partitionsUpTo,
  servingGeneration,
  switchGeneration,
} from '@freshet/feature-updater/generations'
import { rebuildState, type RebuildReport } from '@freshet/feature-updater/rebuild'
import { loadConfig } from '@freshet/service/config'
import { createProgress } from '@freshet/service/progress'
import { ArgumentError } from '../arguments.ts'
import { OperationError } from './errors.ts'
import { openPlatform, withOpen, type OpenPlatform, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** The arguments of the command, as text. */
export interface RebuildArguments extends PlatformArguments {
  readonly family: string
  readonly dryRun?: boolean
  /** Continue a stopped rebuild. */
  readonly resume?: boolean
  /** false: compare only; the old generation continues to serve. */
  readonly switch?: boolean
  readonly acceptDifferences?: boolean
  readonly rollback?: boolean
  readonly drop?: string
  readonly config?: string
}

type Platform = Pick<OpenPlatform, 'log' | 'store' | 'clock'>

/**
 * `freshet rebuild`: folds the log into a new generation while the old one serves, compares both and switches.
 * `--rollback` switches back to the previous generation; `--drop N` removes a generation that does not serve.
 */
export async function runRebuild(
  given: RebuildArguments,
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const families = parseFamilies(given.family)
  const config = loadConfig(updaterConfig, { env, ...(given.config === undefined ? {} : { file: given.config }) })
  if (given.drop !== undefined && !/^\d{1,9}$/.test(given.drop))
    throw new ArgumentError(`--drop is ${given.drop}; give the number of a generation`)
  return withOpen(openPlatform(given), async (platform) => {
    for (const family of families) {
      if (given.rollback === true) await rollBack(platform, family, given.dryRun === true, terminal)
      else if (given.drop !== undefined) await drop(platform, family, given.drop, given.dryRun === true, terminal)
      else if (given.dryRun === true) await previewRebuild(platform, family, terminal)
      else await rebuild(platform, family, config, given, terminal)
    }
  })
}

async function rebuild(
  { log, store, clock }: Platform,
  family: StateFamily,
  config: UpdaterConfig,
  given: RebuildArguments,
  terminal: Terminal,
): Promise<void> {
  const { signal } = terminal
  const plan = await planRebuild({ log, store }, family, signal)
  // A rebuild that was stopped or rolled back left state, perhaps folded by other code. Only --resume continues it.
  if (given.resume !== true && plan.folded > 0) {
    terminal.write(`${family}: removing the state that an earlier rebuild left in generation ${plan.fresh}\n`)
    await dropGeneration({ store, log, family, generation: plan.fresh, signal })
  }
  const progress = createProgress({
    label: `rebuilding ${family} state`,
    unit: 'records',
    total: given.resume === true ? plan.records - plan.folded : plan.records,
    out: terminal.progress,
    nowMs: terminal.nowMs,
  })
  const report = await rebuildState({
    log,
    store,
    clock,
    config,
    family,
    generation: plan.fresh,
    signal,
    onProgress: (records) => progress.advance(records),
    onError: (error) => terminal.progress.write(`freshet: ${error.message}; retrying\n`),
  })
  progress.done()
  terminal.write(describe(report))
  if (!report.identical && given.acceptDifferences !== true) {
    throw new OperationError(
      'REBUILD_DIFFERS',
      `generation ${report.fresh} of ${family} state differs from generation ${report.old}, so the command did not switch. If you expect this because folding has changed, give --accept-differences`,
    )
  }
  if (given.switch === false) return
  if (report.records + report.compared === 0) {
    terminal.write(`${family}: the log contains nothing to fold; generation ${report.old} continues to serve\n`)
    return
  }
  await switchGeneration({ store, log, family, from: report.old, to: report.fresh, signal })
  terminal.write(`${family}: generation ${report.fresh} serves; \`freshet rebuild --rollback\` switches back\n`)
}

async function rollBack(
  { log, store }: Platform,
  family: StateFamily,
  dry: boolean,
  terminal: Terminal,
): Promise<void> {
  const { signal } = terminal
  const from = await servingGeneration(store, family, { signal })
  const to = String(Number(from) - 1)
  if (to === '0') {
    terminal.write(`${family}: generation ${from} serves; it is the first one, so there is no previous generation\n`)
    return
  }
  if (!dry) await switchGeneration({ store, log, family, from, to, signal })
  terminal.write(
    dry ? `${family}: would switch from generation ${from} to ${to}\n` : `${family}: generation ${to} serves again\n`,
  )
}

async function drop(
  { log, store }: Platform,
  family: StateFamily,
  generation: string,
  dry: boolean,
  terminal: Terminal,
): Promise<void> {
  const { signal } = terminal
  const count = await log.partitionCount(familyTopic[family], { signal })
  const positions = await store.positions(stateScope(family, generation), partitionsUpTo(count), { signal })
  if (!dry) await dropGeneration({ store, log, family, generation, signal })
  const held = positions.some((position) => position !== null) ? '' : '; it was empty'
  terminal.write(`${family}: generation ${generation} ${dry ? 'would be' : 'was'} removed${held}\n`)
}

async function previewRebuild(platform: Platform, family: StateFamily, terminal: Terminal): Promise<void> {
  const { old, fresh, records, folded, truncated } = await planRebuild(platform, family, terminal.signal)
  const held = folded === 0 ? '' : `, which already has ${folded} records of an earlier rebuild`
  const lost = truncated === 0 ? '' : `; the log no longer has the beginning of ${truncated} partitions`
  terminal.write(
    `${family}: generation ${old} serves; ${records} records would be folded into generation ${fresh}${held}${lost}\n`,
  )
}

async function planRebuild(
  { log, store }: Pick<Platform, 'log' | 'store'>,
  family: StateFamily,
  signal: AbortSignal,
): Promise<{
  readonly old: string
  readonly fresh: string
  readonly records: number
  readonly folded: number
  readonly truncated: number
}> {
  const topic = familyTopic[family]
  const [old, starts, ends] = await Promise.all([
    servingGeneration(store, family, { signal }),
    log.starts(topic, { signal }),
    log.ends(topic, { signal }),
  ])
  const fresh = String(Number(old) + 1)
  const positions = await store.positions(stateScope(family, fresh), partitionsUpTo(ends.length), { signal })
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  return {
    old,
    fresh,
    records: sum(ends) - sum(starts),
    folded: sum(positions.map((position, at) => Math.max(0, positionIn(position ?? 0) - (starts[at] ?? 0)))),
    truncated: starts.filter((start) => start > 0).length,
  }
}

function describe(report: RebuildReport): string {
  const { family, old, fresh } = report
  const lost =
    report.truncatedPartitions.length === 0
      ? ''
      : `  the log no longer has the beginning of partitions ${report.truncatedPartitions.join(', ')}, so generation ${fresh} lacks those records\n`
  const examples = report.examples.length === 0 ? '' : `  differences: ${report.examples.join('; ')}\n`
  return (
    `${family} state, generation ${old} compared with ${fresh}: ${report.records} records folded, ${report.compared} values compared\n` +
    `  ${report.different} different, ${report.onlyOld} only in ${old}, ${report.onlyFresh} only in ${fresh}\n` +
    `  checksums ${report.oldChecksum} and ${report.freshChecksum}\n${lost}${examples}`
  )
}

function parseFamilies(text: string): readonly StateFamily[] {
  if (text === 'all') return ['user', 'pin']
  if (text === 'user' || text === 'pin') return [text]
  throw new ArgumentError(`--family is ${text}; give user, pin or all`)
}
