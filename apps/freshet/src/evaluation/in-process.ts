import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { Ranker } from '@freshet/contracts/ports/calls'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import type { EmbeddedConfig } from '../embedded.ts'
import { createVirtualProduct } from '../virtual/product.ts'
import type { EvaluationTarget } from './evaluate.ts'
import { RecordingError, type Question } from './recording.ts'
import { toRequest, type AskOptions } from './request.ts'
import type { RankedPage } from './training-rows.ts'

/** Settings of the services in an in-process evaluation. */
export interface InProcessOptions extends AskOptions {
  readonly models: ModelSlot
  readonly config: EmbeddedConfig
  /** When the views about all users are refreshed. */
  readonly refresh: 'event' | 'mark'
  readonly partitions: number
  /** Called with what the ranker was asked and answered for each feed; the feed waits for it. */
  readonly onRanked?: (question: Question, page: RankedPage) => Promise<void>
}

/** Maximum real time for a question, milliseconds. */
const patienceMs = 60_000

/** All services in this process on adapters in memory, in virtual time: the time of the recording. Timers never run: an evaluation needs none of their work. */
export async function createInProcessTarget(options: InProcessOptions): Promise<EvaluationTarget> {
  const ranked = options.ask.kind === 'feed'
  const { onRanked } = options
  let page: RankedPage | null = null
  const product = await createVirtualProduct({
    ...options,
    ranked,
    seed: 1,
    ...(onRanked && { wrapRanker: (ranker) => withFeatures(ranker, (ranked) => (page = ranked)) }),
    ...(!ranked && { wrapLog: withoutPinState }),
  })
  const { blender, candidates } = product.embedded
  return {
    async pin(value, place) {
      const parsed = parsePinJson(value, 'pin')
      if (!parsed.ok) throw new RecordingError(place, parsed.problem.message)
      await product.pin(parsed.change)
    },
    async engagement(value, place) {
      const parsed = parseEngagementJson(value, 'engagement')
      if (!parsed.ok) throw new RecordingError(place, parsed.problem.message)
      await product.engagement(parsed.engagement)
    },
    mark: () => product.mark(),
    async ask(question, ask = options.ask) {
      product.moveTo(question.atMs)
      await product.settle()
      const put = toRequest(question, { ...options, ask, sourceNames: candidates.sourceNames }, [])
      const call = { timeoutMs: patienceMs }
      page = null
      const answer =
        put.kind === 'feed' ? await blender.getFeed(put.request, call) : await blender.getRelatedPins(put.request, call)
      if (page !== null) await onRanked?.(question, page)
      options.onAnswer?.(answer)
      return { pinIds: answer.items.map(({ pinId }) => pinId), degradation: answer.degradation }
    },
    close: () => product.close(),
  }
}

/** A log that drops engagements for pin state. Only the ranker reads pin state, and here nothing is ranked. */
function withoutPinState(log: EventLog): EventLog {
  return {
    ...log,
    append: (topic, records, options) =>
      topic === 'pin-engagements.v1'
        ? Promise.resolve(records.map(() => ({ partition: 0, position: 0 })))
        : log.append(topic, records, options),
  }
}

/** A ranker that is always asked for the features that it reads, and whose requests and answers are looked at. */
function withFeatures(ranker: Ranker, look: (page: RankedPage) => void): Ranker {
  return {
    async rank(request, call) {
      const response = await ranker.rank({ ...request, withFeatures: true }, call)
      // In one process the answer has no columns of features and facts, and reads those of the rows that are asked for.
      const read = response.readRows?.(Int32Array.from(request.pinIds.keys()))
      look({ request, response: { ...response, ...read } })
      return response
    },
  }
}
