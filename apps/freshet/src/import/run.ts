import type { Progress, ProgressOptions } from '@freshet/service/progress'
import { collect } from './collect.ts'
import type { Destination } from './destination.ts'
import type { FilePlan } from './plan.ts'
import { createSorter, type Sortable, type Sorter } from './sorter.ts'
import { newTally, refuseRow, type Applied, type Tally } from './tally.ts'

/** The part of an import that is under way. */
export type ImportPhase = Pick<ProgressOptions, 'label' | 'unit' | 'total' | 'share'>

/** Follows an import. */
export interface ImportWatch {
  /** Called when a phase begins. Receives its progress. */
  begin(phase: ImportPhase): Progress
  /** Called with each event as the import would post it. */
  onEvent(kind: 'pin' | 'engagement', event: unknown): void
  /** Called with a sentence about pins without a catalogue entry. */
  onNotice(text: string): void
  /** Awaited between rows, again and again, so that the process can do other work. */
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
}

/** What an import did. */
export interface ImportOutcome {
  /** In a dry run, `engagements` are those that would be written. */
  readonly tally: Tally
  /** null: the destination does not know, or it was a dry run. */
  readonly applied: Applied | null
  /** Catalogue entries that the import created for pins without one. */
  readonly madePins: number
}

const dayMs = 86_400_000

/** Sorts the files so that the catalogue has the pins of the engagements. */
export function pinsFirst(plans: readonly FilePlan[]): readonly FilePlan[] {
  return plans.toSorted((a, b) => Number(isEngagements(a)) - Number(isEngagements(b)))
}

/** Reads the files of the plans, and writes pins and engagements to the destination, in the order of their times. `destination` null: a dry run. */
export async function importFiles(
  plans: readonly FilePlan[],
  destination: Destination | null,
  options: { readonly nowMs: number; readonly makePins: boolean; readonly tally?: Tally },
  watch: ImportWatch,
): Promise<ImportOutcome> {
  const { tally = newTally() } = options
  const sorter = createSorter()
  try {
    const seenPins = await readAll(plans, destination, { sorter, tally, nowMs: options.nowMs }, watch)
    if (destination === null) return { tally: { ...tally, engagements: sorter.size() }, applied: null, madePins: 0 }
    const madePins = await makePins(destination, seenPins, options.makePins, watch)
    await post(destination, plans, { sorter, tally }, watch)
    return { tally, applied: await destination.applied(), madePins }
  } finally {
    sorter.close()
  }
}

function isEngagements(plan: FilePlan): boolean {
  return plan.kind === 'recording' || plan.as === 'engagements'
}

async function readAll(
  plans: readonly FilePlan[],
  destination: Destination | null,
  to: { readonly sorter: Sorter; readonly tally: Tally; readonly nowMs: number },
  watch: ImportWatch,
): Promise<ReadonlySet<string>> {
  const seenPins = new Set<string>()
  const totalBytes = plans.reduce((sum, { sample }) => sum + sample.fileBytes, 0)
  let readBytes = 0
  const progress = watch.begin({
    label: destination === null ? 'reading' : 'reading and checking',
    unit: 'rows',
    total: null,
    share: () => readBytes / totalBytes,
  })
  await collect(plans, {
    ...to,
    destination,
    seenPins,
    rejectFutureMs: dayMs,
    progress,
    onRead: (bytes) => {
      readBytes += bytes
    },
    onEvent: (kind, event) => watch.onEvent(kind, event),
    pause: () => watch.pause(),
    signal: watch.signal,
  })
  progress.done()
  return seenPins
}

/** Creates catalogue entries that contain only the id for pins without one, because feeds never show pins without an entry. Returns their number. */
async function makePins(
  destination: Destination,
  seenPins: ReadonlySet<string>,
  isWanted: boolean,
  watch: ImportWatch,
): Promise<number> {
  const missing = await destination.missingPins(seenPins)
  if (missing === null) {
    watch.onNotice(
      `the engagements have ${seenPins.size} pins; feeds will not show those without a catalogue entry (import a catalogue, or give --operations URL and --make-pins)`,
    )
    return 0
  }
  if (missing.length === 0) return 0
  const some = missing.slice(0, 3).join(', ')
  if (!isWanted) {
    watch.onNotice(
      `${missing.length} pins have no catalogue entry (${some}, …): Freshet learns from them, but feeds never show them; --make-pins creates entries`,
    )
    return 0
  }
  for (let at = 0; at < missing.length; at += destination.batchEvents)
    await destination.takePins(missing.slice(at, at + destination.batchEvents).map((pinId) => ({ pinId })))
  watch.onNotice(
    `${missing.length} pins had no catalogue entry (${some}, …): the import created one for each, with the id alone, so that feeds can show them (--no-make-pins prevents this; import a catalogue to give them titles and topics)`,
  )
  return missing.length
}

async function post(
  destination: Destination,
  plans: readonly FilePlan[],
  { sorter, tally }: { readonly sorter: Sorter; readonly tally: Tally },
  watch: ImportWatch,
): Promise<void> {
  const progress = watch.begin({ label: 'writing', unit: 'engagements', total: sorter.size() })
  let batch: Sortable[] = []
  const flush = async (): Promise<void> => {
    const events = batch
    batch = []
    if (events.length === 0) return
    watch.signal.throwIfAborted()
    const outcomes = await destination.takeEngagements(events)
    outcomes.forEach((outcome, at) => {
      const event = events[at]
      if (outcome === null) tally.engagements++
      else if (event !== undefined) refuseRow(tally, `${plans[event.file]?.sample.file ?? ''}:${event.line}`, outcome)
    })
    progress.advance(events.length)
  }
  for await (const event of sorter.sorted()) {
    batch.push(event)
    if (batch.length >= destination.batchEvents) await flush()
  }
  await flush()
  if (sorter.size() > 0) progress.done()
}
