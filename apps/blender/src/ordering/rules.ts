import { capsRule, type CappedClass } from '@freshet/ordering/caps'
import { grown } from '@freshet/ordering/evidence'
import { mixingRule, type ShareOfPage } from '@freshet/ordering/mixing'
import type { Rule } from '@freshet/ordering/place-strictly'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'
import { mainSources } from './candidate-classes.ts'
import { growthFor } from './evidence.ts'
import { kindsFor } from './kinds.ts'
import type { Pool } from './pool.ts'

type Context = FeedRequest & UserContext

/** The caps of a request. That of topics grows with what is known about the user. */
export function cappedClasses(request: Context, pool: Pool): CappedClass[] {
  const { caps } = request.params.ordering
  const mostOf = {
    creator: caps.creator.most,
    topic: Math.round(grown(growthFor(request), { start: caps.topic.mostAtStart, end: caps.topic.most })),
    cluster: caps.cluster.most,
    board: caps.board.most,
  }
  return kindsFor(request.surface, ['creator', 'topic', 'cluster', 'board'])
    .filter((kind) => mostOf[kind] < caps[kind].window)
    .map((kind) => ({ classes: pool.classes(kind), most: mostOf[kind], window: caps[kind].window }))
}

/** Whether the ordering of a request has a rule about boards. */
export function usesBoards({ surface, params: { ordering } }: Pick<FeedRequest, 'surface' | 'params'>): boolean {
  const { spacing, caps } = ordering
  const isRuled = spacing.board.weight > 0 || caps.board.most < caps.board.window
  return isRuled && kindsFor(surface, ['board']).length > 0
}

/** The rule of the caps, below the pins above the page. */
export function capsBelow(capped: readonly CappedClass[], { above }: Pool): Rule {
  const rule = capsRule(capped)
  for (const pin of above) rule.place(pin)
  return rule
}

/** The rule about the mix of sources; null: the settings ask for none. */
export function mixingFor(request: Context, pool: Pool, columns: CandidateColumns): Rule | null {
  const { maxRun, groups, broad } = request.params.ordering.mixing
  if (request.surface === 'related') return null
  const broadMin = grown(growthFor(request), { start: broad.shareAtStart, end: broad.share })
  const wanted = [...groups, { sources: broad.sources, min: broadMin, max: 1 }]
  const shares = wanted
    .filter(({ min, max }) => min > 0 || max < 1)
    .map(({ sources, min, max }) => ({ members: membersOf(sources, pool, columns), min, max }))
  if (shares.length === 0 && maxRun === 0) return null
  const sources = pool.classes('source')
  return mixingRule({ pageSize: request.pageSize, shares, sources, maxRun: maxRun === 0 ? Infinity : maxRun })
}

/** The candidates whose main source is one of these. */
function membersOf(names: readonly string[], { pins }: Pool, columns: CandidateColumns): ShareOfPage['members'] {
  const main = mainSources(columns)
  const isNamed = columns.sourceNames.map((name) => names.includes(name))
  return Uint8Array.from(pins.rows, (row) => (isNamed[main[row]! - 1] === true ? 1 : 0))
}
