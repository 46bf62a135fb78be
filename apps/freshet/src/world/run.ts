import {
  degradationToJSON,
  GetFeedRequest,
  GetRelatedPinsRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import { probabilitiesOf, type ServedFeeds } from '../virtual/served-feeds.ts'
import type { VirtualProduct } from '../virtual/product.ts'
import { WorldError } from './errors.ts'
import { createFigures, type ProductFigures } from './figures.ts'
import {
  parseWorldLine,
  ProtocolFault,
  protocolVersion,
  type Ask,
  type ProductLine,
  type Shown,
  type WorldLine,
} from './protocol.ts'
import { endedEarly, type WorldProgram } from './program.ts'

/** A world and the product that it plays against. */
export interface WorldRunOptions {
  readonly product: VirtualProduct
  readonly served: ServedFeeds
  readonly models: ModelSlot
  readonly program: Pick<WorldProgram, 'lines' | 'send' | 'ending'>
  /** When the program has to stop, for a world that begins at `startMs`; null: at its own end. */
  readonly untilMs: (startMs: number) => number | null
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number
  /** Called after each ask. */
  readonly onAsk?: (at: { readonly nowMs: number; readonly startMs: number; readonly untilMs: number | null }) => void
}

/** What remains of a run. */
export interface WorldOutcome {
  /** The reports of the program, as it wrote them. */
  readonly reports: readonly string[]
  readonly figures: ProductFigures
}

const dayMs = 86_400_000
/** Maximum real time for an ask. */
const patienceMs = 60_000
/** Timers run at every ask and tick, and at any other line when this much virtual time has passed. */
const timersEveryMs = 60_000

/**
 * Plays a world to its `end`. Rejects with a WorldError if the program breaks the protocol (after telling it), ends early, or
 * does not stop; and with what the product fails with.
 */
export async function runWorld(options: WorldRunOptions): Promise<WorldOutcome> {
  const { program } = options
  const run = createRun(options)
  let line = 0
  let taken = 0
  await program.send({ hello: { protocol: protocolVersion } })
  try {
    for await (const text of program.lines) {
      line++
      if (text.trim() !== '' && (await run.take(parseWorldLine(text))) === 'ended') return run.outcome()
      taken = line
    }
  } catch (error) {
    if (!(error instanceof ProtocolFault)) throw error
    const { message: reason } = error
    // A line that is too long is not read to its end.
    const faulty = taken === line ? line + 1 : line
    await program.send({ error: { line: faulty, reason } })
    throw new WorldError('WORLD_PROTOCOL_BROKEN', `line ${faulty} of the program: ${reason}`)
  }
  throw endedEarly(line, await program.ending())
}

function createRun({ product, served, models, program, untilMs: untilOf, elapsedMs, onAsk }: WorldRunOptions) {
  const { blender } = product.embedded
  const figures = createFigures(elapsedMs)
  const reports: string[] = []
  let startMs: number | null = null
  let untilMs: number | null = null
  let stopped = false
  let timersAtMs = -Infinity
  let compactedAtMs = -Infinity
  let swapped = models.stats().swapped

  /** Moves to the time of a line. Throws a ProtocolFault if the line is earlier than the one before. */
  async function moveTo(atMs: number): Promise<void> {
    if (startMs === null) {
      startMs = compactedAtMs = atMs
      untilMs = untilOf(startMs)
    } else if (atMs < product.nowMs()) {
      throw new ProtocolFault(`goes back in time: ${iso(atMs)} after ${iso(product.nowMs())}`)
    }
    product.moveTo(atMs)
    if (untilMs === null || atMs < untilMs) return
    if (!stopped) {
      stopped = true
      await program.send({ stop: { at: iso(untilMs) } })
    } else if (atMs > untilMs + dayMs) {
      throw new WorldError(
        'WORLD_NOT_STOPPED',
        `the program was told to stop at ${iso(untilMs)}, and goes on at ${iso(atMs)}`,
      )
    }
  }

  /** Applies what was accepted, then runs what is due. */
  async function settle(): Promise<void> {
    await product.settle()
    timersAtMs = product.nowMs()
    await product.runTimers()
    if (timersAtMs - compactedAtMs >= dayMs) {
      compactedAtMs = timersAtMs
      product.compact()
    }
    const before = swapped
    swapped = models.stats().swapped
    if (swapped === before) return
    figures.promoted()
    const version = models.use((model) => model.version)
    await program.send({ model: { version, at: iso(timersAtMs) } })
  }

  async function answer(ask: Ask, atMs: number): Promise<Shown> {
    const { userId, pageSize, locale = '', pinId } = ask
    const request = { userId, pageSize, locale, atMs }
    const startedMs = elapsedMs()
    const call = { timeoutMs: patienceMs }
    const page =
      pinId === undefined
        ? await blender.getFeed(GetFeedRequest.fromPartial(request), call)
        : await blender.getRelatedPins(GetRelatedPinsRequest.fromPartial({ ...request, pinId }), call)
    const tookMs = elapsedMs() - startedMs
    await blender.flush()
    const record = served.take(page.feedId)
    const probabilities = record === undefined ? null : probabilitiesOf(record)
    const { feedId } = page
    const pinIds = page.items.map((item) => item.pinId)
    const degradation = degradationToJSON(page.degradation)
    figures.answered({ feedId, pinIds, degradation, tookMs })
    return { id: ask.id, at: ask.at, feedId, pinIds, ...(probabilities !== null && { probabilities }), degradation }
  }

  async function take(line: WorldLine): Promise<'ended' | 'goes on'> {
    switch (line.kind) {
      case 'pin': {
        const { change } = line
        figures.pin(change.kind === 'upsert' ? change.pin.pinId : change.pinId)
        await product.pin(change)
        break
      }
      case 'engagement': {
        await moveTo(line.atMs)
        const { subject, shown } = line.engagement
        figures.engagement(subject.kind === 'pin' ? subject.pinId : null, shown.feedId)
        await product.engagement(line.engagement)
        if (line.atMs - timersAtMs >= timersEveryMs) await settle()
        break
      }
      case 'tick':
        await moveTo(line.atMs)
        await settle()
        break
      case 'ask': {
        await moveTo(line.atMs)
        await settle()
        await program.send({ shown: await answer(line.ask, line.atMs) } satisfies ProductLine)
        onAsk?.({ nowMs: line.atMs, startMs: startMs ?? line.atMs, untilMs })
        break
      }
      case 'report':
        reports.push(line.text)
        break
      case 'end':
        await settle()
        return 'ended'
    }
    return 'goes on'
  }

  return {
    take,
    outcome: (): WorldOutcome => ({
      reports,
      figures: figures.total(startMs === null ? 0 : (product.nowMs() - startMs) / dayMs),
    }),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
