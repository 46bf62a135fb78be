import { ContractError } from '@freshet/contracts/errors'
import { CodedError } from '@freshet/domain/coded-error'
import type { Clock } from '@freshet/domain/clock'
import type { Destination } from '../../../import/destination.ts'
import { planFile } from '../../../import/plan.ts'
import { importFiles, type ImportPhase, type ImportWatch } from '../../../import/run.ts'
import { countRefused, newTally, type Applied, type Refusals, type Tally } from '../../../import/tally.ts'
import { optionsOf, type Reading } from './plan-json.ts'
import type { Upload } from './uploads.ts'

/** An import as the page follows it. */
export interface JobJson {
  readonly uploadId: string
  readonly file: string
  /** Whether it only checks the rows. */
  readonly dryRun: boolean
  readonly state: 'running' | 'done' | 'failed' | 'stopped'
  readonly startedAtMs: number
  readonly tookMs: number
  readonly phase: {
    readonly label: string
    readonly unit: string
    readonly done: number
    readonly total: number | null
    /** 0 to 1; null: not known. */
    readonly share: number | null
  } | null
  readonly table: TableJson
  readonly notices: readonly string[]
  readonly error: { readonly code: string; readonly message: string } | null
}

/** The table of an import. */
export interface TableJson {
  readonly read: number
  readonly accepted: number
  readonly engagements: number
  readonly pins: number
  readonly unchanged: number
  readonly refused: number
  readonly leftOut: number
  readonly repeated: number
  readonly imported: number
  readonly madePins: number
  /** null: not known, or not yet. Other traffic at the same time counts too. */
  readonly applied: Applied | null
  /** The most frequent first. `places`: `line 7` of the first ones. */
  readonly refusals: readonly Refusals[]
}

/** What an import needs of the console. */
export interface JobPorts {
  readonly clock: Clock
  readonly openDestination: (signal: AbortSignal) => Promise<Destination>
  /** Lets the process do other work between rows. */
  readonly pause: () => Promise<void>
}

/** An import that is under way or has ended. */
export interface Job {
  json(): JobJson
  stop(): void
  /** Resolves when the import has ended, however it ended. */
  readonly ended: Promise<void>
}

const maxRefusals = 100

/** Starts an import of an upload. It never rejects: the error is in its JSON. */
export function startJob(
  upload: Upload,
  { reading, dryRun, makePins }: { readonly reading: Reading; readonly dryRun: boolean; readonly makePins: boolean },
  { clock, openDestination, pause }: JobPorts,
): Job {
  const startedAtMs = clock.now()
  const tally = newTally()
  const stopping = new AbortController()
  const { signal } = stopping
  const now = {
    state: 'running' as JobJson['state'],
    phase: null as (ImportPhase & { done: number }) | null,
    tally,
    applied: null as Applied | null,
    madePins: 0,
    notices: [] as string[],
    error: null as JobJson['error'],
    endedAtMs: null as number | null,
  }
  const watch: ImportWatch = {
    begin(phase) {
      const own = { ...phase, done: 0 }
      now.phase = own
      return {
        advance(count = 1) {
          own.done += count
        },
        done: () => undefined,
      }
    },
    onEvent: () => undefined,
    onNotice: (text) => void now.notices.push(withoutOptions(text)),
    pause,
    signal,
  }

  const work = async (): Promise<void> => {
    const options = optionsOf(reading, startedAtMs)
    const plan = await planFile(upload.path, options)
    signal.throwIfAborted()
    const destination = dryRun ? null : await openDestination(signal)
    try {
      const outcome = await importFiles([plan], destination, { nowMs: startedAtMs, makePins, tally }, watch)
      Object.assign(now, outcome)
    } finally {
      await destination?.close()
    }
  }
  const ended = work().then(
    () => void (now.state = 'done'),
    (error: unknown) => {
      now.state = signal.aborted ? 'stopped' : 'failed'
      now.error = signal.aborted ? null : errorJson(error, upload)
    },
  )
  const settled = ended.then(() => void (now.endedAtMs = clock.now()))

  return {
    ended: settled,
    stop: () => stopping.abort(new ContractError('CALL_UNAVAILABLE', 'the import was stopped')),
    json: () => ({
      uploadId: upload.id,
      file: upload.name,
      dryRun,
      state: now.state,
      startedAtMs,
      tookMs: (now.endedAtMs ?? clock.now()) - startedAtMs,
      phase: now.phase === null ? null : phaseJson(now.phase),
      table: tableJson(now, upload),
      notices: now.notices,
      error: now.error,
    }),
  }
}

function phaseJson({ label, unit, total, share, done }: ImportPhase & { readonly done: number }): JobJson['phase'] {
  const part = total === null ? (share?.() ?? null) : total === 0 ? 1 : done / total
  return { label: typeof label === 'string' ? label : label(), unit, done, total, share: part }
}

function tableJson(
  { tally, applied, madePins }: { readonly tally: Tally; readonly applied: Applied | null; readonly madePins: number },
  { path }: Upload,
): TableJson {
  const { refusals, read, engagements, pins, unchanged, leftOut, repeated, imported } = tally
  return {
    ...{ read, engagements, pins, unchanged, leftOut, repeated, imported, madePins, applied },
    accepted: engagements + pins,
    refused: countRefused(tally),
    refusals: [...refusals.values()]
      .toSorted((a, b) => b.count - a.count)
      .slice(0, maxRefusals)
      .map(({ places, ...refusal }) => ({
        ...refusal,
        places: places.map((place) => place.replace(`${path}:`, '')),
      })),
  }
}

/** Notices name options of the command, which the page has as controls. */
function withoutOptions(text: string): string {
  return text.replaceAll(/ \(--no-make-pins prevents this; /g, ' (').replaceAll(/; --make-pins creates entries/g, '')
}

function errorJson(error: unknown, { path }: Upload): JobJson['error'] {
  const { message } = error as Error
  const code = error instanceof CodedError ? (error as CodedError).code : 'CALL_INTERNAL'
  return { code, message: message.replaceAll(`${path}: `, '').replaceAll(`${path}:`, 'line ') }
}
