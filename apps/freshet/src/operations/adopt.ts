import type { StateFamily } from '@freshet/contracts/scopes'
import { parseTime, timeFault } from '@freshet/contracts/json/time'
import { adoptionOf, adoptLog, type Adoption } from '@freshet/feature-updater/adopt'
import { updaterConfig } from '@freshet/feature-updater/config'
import { loadConfig } from '@freshet/service/config'
import { ArgumentError } from '../arguments.ts'
import { OperationError } from './errors.ts'
import { openPlatform, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** The arguments of the command, as text. */
export interface AdoptArguments extends PlatformArguments {
  /** `start`, or the time since which the records of the log are new. */
  readonly from?: string
  readonly dryRun?: boolean
  readonly config?: string
}

/**
 * `freshet log adopt`: makes the state follow the current log if the log is younger than the state (a broker was lost, a
 * cluster was moved). Acknowledges records that retention deleted before they were folded. Changes nothing else.
 */
export async function runLogAdopt(
  given: AdoptArguments,
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const givenSinceMs = parseFrom(given.from)
  const { fold } = loadConfig(updaterConfig, { env, ...(given.config === undefined ? {} : { file: given.config }) })
  await withOpen(openPlatform(given), async ({ log, store, clock }) => {
    const adoptions: Adoption[] = []
    for (const family of ['user', 'pin'] as const) adoptions.push(await adoptionOf({ log, store, clock }, family))
    const plans = adoptions.map((adoption) => {
      const sinceMs = newSince(adoption, givenSinceMs, clock.now() - fold.dedupeWindowMs / 2)
      return { adoption, sinceMs }
    })
    for (const { adoption, sinceMs } of plans) {
      terminal.write(describe(adoption, sinceMs))
      if (adoption.kind === 'none' || given.dryRun === true) continue
      if (!(await adoptLog(store, adoption, sinceMs)))
        throw new OperationError(
          'ADOPT_RACED',
          'somebody else adopted a log at the same time; run the command again to see the result',
        )
    }
    if (plans.every(({ adoption }) => adoption.kind === 'none')) return
    terminal.write(
      given.dryRun === true ? 'nothing was changed\n' : 'adopted; feature-updater continues within seconds\n',
    )
  })
}

/** The time in milliseconds; null: not given; 0: `start`. */
function parseFrom(text: string | undefined): number | null {
  if (text === undefined) return null
  if (text === 'start') return 0
  if (timeFault(text) === null) return parseTime(text)
  throw new ArgumentError(`--from is ${text}; give start, or a time such as 2026-01-31T08:00:00Z`)
}

/**
 * The time since which records are new, milliseconds. Another log contains no folded records, unless it is a copy. A log that
 * lost its end contains folded records: the updater reads the last ones again, and their event ids show which are new. For
 * the second stage, high-water marks show it.
 */
function newSince(
  { family, kind, id, topic }: Adoption,
  givenSinceMs: number | null,
  rememberedSinceMs: number,
): number {
  if (family === 'pin' || kind === 'none' || kind === 'note') return 0
  if (givenSinceMs !== null) return givenSinceMs
  if (kind === 'other') return 0
  if (id !== '') return rememberedSinceMs
  throw new ArgumentError(
    `${topic} ends before the folded position, and this broker cannot tell whether it is another log: give --from start if the log was created again, or --from with the time since which its records are new`,
  )
}

function describe({ topic, family, kind, standings, before, id }: Adoption, sinceMs: number): string {
  const sum = (of: (one: Adoption['standings'][number]) => number): number =>
    standings.reduce((total, one) => total + of(one), 0)
  if (kind === 'none') return `${topic}: the state follows this log\n`
  if (kind === 'note') {
    const known = before.lost.reduce((total, lost) => total + lost, 0)
    return `${topic}: retention deleted ${sum(({ lost }) => lost) - known} records before they were folded; they are lost\n`
  }
  const what =
    kind === 'other'
      ? `is another log (${id}) than the one that ${possessive(family)} state was folded from (${before.id})`
      : 'ends before the folded position'
  const from = sinceMs === 0 ? 'its first record' : `the records since ${new Date(sinceMs).toISOString()}`
  const held = sum(({ start, end }) => end - start)
  return (
    `${topic} ${what}\n` +
    `  ${held} records in ${standings.length} partitions; folding continues with ${from}\n` +
    `  state and the remembered event ids stay, so events that producers send again are folded once\n` +
    `  records of the previous log that were not folded are lost\n`
  )
}

function possessive(family: StateFamily): string {
  return family === 'user' ? "users'" : "pins'"
}
