import type { Degradation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createMetrics, type Figures } from './metrics.ts'
import type { Question, RecordingLine } from './recording.ts'

/** What to evaluate: all candidates, the candidates of some sources (merged), of all sources except some, the ranked feed, or related pins. */
export type Ask =
  | { readonly kind: 'candidates' }
  | { readonly kind: 'source'; readonly sources: readonly string[] }
  | { readonly kind: 'without'; readonly sources: readonly string[] }
  | { readonly kind: 'feed' }
  | { readonly kind: 'related' }

/** An answer to a question. */
export interface Answer {
  readonly pinIds: readonly string[]
  readonly degradation: Degradation
}

/** The system under evaluation: all services in this process, or running services. */
export interface EvaluationTarget {
  /** Accepts a pin in the form of the HTTP API; rejects if the API would. */
  pin(value: unknown, place: string): Promise<void>
  /** Accepts an engagement in the form of the HTTP API. */
  engagement(value: unknown, place: string): Promise<void>
  mark(name: string): Promise<void>
  /** Answers a question when the services have applied all events so far. `ask` overrides what the target was created for. */
  ask(question: Question, ask?: Ask): Promise<Answer>
  close(): Promise<void>
}

/** A stretch of time, milliseconds since the epoch: from `fromMs` until before `untilMs`. */
export interface TimeWindow {
  readonly fromMs: number
  readonly untilMs: number
}

/** The whole of time. */
const always: TimeWindow = { fromMs: -Infinity, untilMs: Infinity }

export interface EvaluationOptions {
  /** Each question is asked once per entry. */
  readonly asks: readonly Ask[]
  /** Cut-offs, ascending. */
  readonly cutoffs: readonly number[]
  /** Ask only every nth question. */
  readonly every: number
  /** Ask only questions of this time; every event before its end is applied, and nothing after it is read. */
  readonly window?: TimeWindow
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number
  /** Called after each line. */
  readonly onLine?: () => void
  /** Called with each answer. */
  readonly onAnswer?: (answer: AnswerLine) => void
}

/** A line of the answers file. */
export interface AnswerLine {
  readonly question: number
  /** The ask, if there are several. */
  readonly ask?: string
  /** Rank of the target, 1 = first, 0 = not in the answer; a list if there are several targets. */
  readonly rank: number | readonly number[]
  /** Ids of the pins of the answer, best first: as many as the largest cut-off, or fewer. */
  readonly top: readonly string[]
  readonly latencyMs: number
  readonly degradation: number
}

/** The figures, as `--json` prints them. */
export interface EvaluationReport {
  readonly questions: number
  readonly answered: number
  readonly metrics: Figures
  readonly byGroup: Readonly<Record<string, Figures>>
  readonly meanOverGroups: Figures
  readonly events: number
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  readonly [coverage: `coverage@${number}`]: number
}

/** Replays lines against a target and returns a report per ask. Rejects with the place if the target refuses an event. */
export async function evaluate(
  lines: AsyncIterable<RecordingLine>,
  target: EvaluationTarget,
  options: EvaluationOptions,
): Promise<readonly EvaluationReport[]> {
  const { asks, cutoffs, every, window = always, elapsedMs, onLine, onAnswer } = options
  const tallies = asks.map((ask) => ({ ask, metrics: createMetrics(cutoffs), latencies: [] as number[], answered: 0 }))
  const depth = cutoffs.at(-1) ?? 20
  const startedAt = elapsedMs()
  let events = 0
  let seen = 0
  for await (const line of lines) {
    if (line.kind === 'question') {
      const { atMs } = line.question
      if (atMs >= window.untilMs) break
      if (seen++ % every === 0 && atMs >= window.fromMs) {
        for (const tally of tallies) {
          const askedAt = elapsedMs()
          const answer = await target.ask(line.question, tally.ask)
          const latencyMs = elapsedMs() - askedAt
          tally.latencies.push(latencyMs)
          if (answer.pinIds.length > 0) tally.answered++
          const ranks = line.question.targets.map((pinId) => answer.pinIds.indexOf(pinId) + 1)
          const top = answer.pinIds.slice(0, depth)
          tally.metrics.add({ ranks, group: line.question.group, top })
          onAnswer?.({
            question: seen,
            ...(asks.length > 1 && { ask: formatAsk(tally.ask) }),
            rank: ranks.length === 1 ? ranks[0]! : ranks,
            top,
            latencyMs,
            degradation: answer.degradation,
          })
        }
      }
    } else if (line.kind === 'mark') await target.mark(line.name)
    else {
      events++
      if (line.kind === 'pin') await target.pin(line.value, line.place)
      else await target.engagement(line.value, line.place)
    }
    onLine?.()
  }
  const seconds = (elapsedMs() - startedAt) / 1000
  return tallies.map(({ metrics, latencies, answered }) => {
    latencies.sort((a, b) => a - b)
    return {
      questions: latencies.length,
      answered,
      metrics: metrics.total(),
      byGroup: metrics.byGroup(),
      meanOverGroups: metrics.meanOverGroups(),
      ...metrics.coverage(),
      events,
      seconds,
      eventsPerSecond: seconds === 0 ? 0 : events / seconds,
      latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    }
  })
}

/** An ask as the command line writes it. */
export function formatAsk(ask: Ask): string {
  return 'sources' in ask ? `${ask.kind}:${ask.sources.join('+')}` : ask.kind
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
