import type { StateFamily } from '@freshet/contracts/scopes'
import { parseTime, timeFault } from '@freshet/contracts/json/time'
import { adoptionOf, adoptLog, type Adoption } from '@freshet/feature-updater/adopt'
import { updaterConfig } from '@freshet/feature-updater/config'
import { loadConfig } from '@freshet/service/config'
import { ArgumentError } from '../arguments.ts'
import { OperationError } from './errors.ts'
import { openPlatform, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** What the command line gives, as text. */
export interface AdoptArguments extends PlatformArguments {
  /** `start`, or the time from which on the log's records are new. */
  readonly from?: string
  readonly dryRun?: boolean
  readonly config?: string
}

/**
 * `freshet log adopt`: where the log is younger than the state (a broker was lost, a cluster moved), makes the state
 * follow the log that there is now; where retention deleted records unread, takes note of it. Changes nothing else.
 */
export async function runLogAdopt(
  given: AdoptArguments,
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const asked = fromOf(given.from)
  const { fold } = loadConfig(updaterConfig, { env, ...(given.config === undefined ? {} : { file: given.config }) })
  await withOpen(openPlatform(given), async ({ log, store, clock }) => {
    const adoptions: Adoption[] = []
    for (const family of ['user', 'pin'] as const) adoptions.push(await adoptionOf({ log, store, clock }, family))
    const plans = adoptions.map((adoption) => {
      const sinceMs = sinceOf(adoption, asked, clock.now() - fold.dedupeWindowMs / 2)
      return { adoption, sinceMs }
    })
    for (const { adoption, sinceMs } of plans) {
      terminal.write(described(adoption, sinceMs))
      if (adoption.kind === 'none' || given.dryRun === true) continue
      if (!(await adoptLog(store, adoption, sinceMs)))
        throw new OperationError('ADOPT_RACED', 'somebody else adopted a log at the same time; look again')
    }
    if (plans.every(({ adoption }) => adoption.kind === 'none')) return
    terminal.write(
      given.dryRun === true ? 'nothing was changed\n' : 'adopted; feature-updater goes on within seconds\n',
    )
  })
}

/** null: not given; 0: `start`. */
function fromOf(text: string | undefined): number | null {
  if (text === undefined) return null
  if (text === 'start') return 0
  if (timeFault(text) === null) return parseTime(text)
  throw new ArgumentError(`--from is ${text}; give start, or a time such as 2026-01-31T08:00:00Z`)
}

/**
 * From when on records are new. Another log holds nothing that was folded, unless it is a copy. One that lost its end holds
 * what was folded: its last records are read again, and event ids tell which of them are new. What the second stage
 * folded its high-water marks tell.
 */
function sinceOf({ family, kind, id, topic }: Adoption, asked: number | null, rememberedSinceMs: number): number {
  if (family === 'pin' || kind === 'none' || kind === 'note') return 0
  if (asked !== null) return asked
  if (kind === 'other') return 0
  if (id !== '') return rememberedSinceMs
  throw new ArgumentError(
    `${topic} is shorter than what was folded, and this broker cannot say whether it is another log: give --from start if it was created again, or the time since which its records are new`,
  )
}

function described({ topic, family, kind, standings, before, id }: Adoption, sinceMs: number): string {
  const sum = (of: (one: Adoption['standings'][number]) => number): number =>
    standings.reduce((total, one) => total + of(one), 0)
  if (kind === 'none') return `${topic}: the state follows this log\n`
  if (kind === 'note') {
    const known = before.lost.reduce((total, lost) => total + lost, 0)
    return `${topic}: retention deleted ${sum(({ lost }) => lost) - known} records before they were folded; they cannot be had back\n`
  }
  const what =
    kind === 'other'
      ? `is another log (${id}) than the one that ${named(family)} state was folded from (${before.id})`
      : 'ends before what was folded of it'
  const from = sinceMs === 0 ? 'its first record' : `what it took since ${new Date(sinceMs).toISOString()}`
  const held = sum(({ start, end }) => end - start)
  return (
    `${topic} ${what}\n` +
    `  ${held} records in ${standings.length} partitions; folding goes on at ${from}\n` +
    `  state and the memory of event ids stay: what producers send again is folded once\n` +
    `  what the log held before and was not folded is lost\n`
  )
}

function named(family: StateFamily): string {
  return family === 'user' ? "users'" : "pins'"
}
