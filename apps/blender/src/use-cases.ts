import type { CallOptions } from '@freshet/contracts/ports/calls'
import type { EngineClock } from '@freshet/pipeline/clock'
import type { Engine } from '@freshet/pipeline/engine'
import { evaluationRungs } from './evaluation/evaluate-feed.ts'
import { isEvaluated } from './evaluation/evaluated-request.ts'
import { feedRungs } from './get-feed.ts'
import { answerBest, type Answer } from './ladder.ts'
import type { Turns } from './turns.ts'
import type { ListRequest } from './lists/list-request.ts'
import { listRungs } from './lists/rank-pins.ts'
import type { StagePorts } from './ports.ts'
import type { FeedRequest } from './request.ts'
import { searchRungs } from './search/search-by-image.ts'
import type { SearchRequest } from './search/search-request.ts'

/** The pipelines of each kind of request. */
export interface UseCases {
  /** Names of the stages of a feed. */
  readonly stages: readonly string[]
  readonly answer: (request: FeedRequest, call: CallOptions) => Promise<Answer>
  readonly answerUnobserved: (request: FeedRequest, call: CallOptions) => Promise<Answer>
  readonly answerList: (request: ListRequest, call: CallOptions) => Promise<Answer>
  readonly answerSearch: (request: SearchRequest, call: CallOptions) => Promise<Answer>
}

/** Composes the pipelines. `unobserved` runs them without metrics. */
export function createUseCases(
  ports: StagePorts,
  {
    engine,
    unobserved,
    engineClock,
    turns,
  }: {
    readonly engine: Engine
    readonly unobserved: Engine
    readonly engineClock: EngineClock
    readonly turns: Turns
  },
): UseCases {
  const { facts, config } = ports
  const notesOn = ({ locale }: FeedRequest): readonly string[] =>
    locale === '' || facts.knowsLocale(locale) ? [] : ['FEED_LOCALE_UNKNOWN']
  const ladder = { engine, engineClock, turns, config, notesOn }
  const feed = { ...ladder, rungs: feedRungs(ports) }
  const evaluation = { ...ladder, rungs: evaluationRungs(ports) }
  const list = { ...ladder, rungs: listRungs(ports) }
  const search = { ...ladder, rungs: searchRungs(ports) }
  return {
    stages: feed.rungs.stages,
    answerUnobserved: (request, call) => answerBest(request, call, { ...feed, engine: unobserved }),
    answerList: (request, call) => answerBest(request, call, list),
    answerSearch: (request, call) => answerBest(request, call, search),
    answer: (request, call) =>
      isEvaluated(request) ? answerBest(request, call, evaluation) : answerBest(request, call, feed),
  }
}
