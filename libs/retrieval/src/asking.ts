import type { Clock } from '@freshet/domain/clock'
import type { PinId } from '@freshet/domain/ids'

import type { Calibration } from './calibration.ts'
import type { Catalogue } from './catalogue.ts'
import type { EnabledSource } from './enabled-sources.ts'
import { evidenceOf } from './evidence.ts'
import { createInterruption, uninterrupted } from './interruption.ts'
import { mergeHits } from './merge.ts'
import type { RetrievedCandidates, RetrieveQuery, SourceCandidates } from './question.ts'
import { createHits, type Hits, type ScoreBoard } from './score-board.ts'
import type { SourceQuery } from './source.ts'

/** A request, in rows as well, and whether all shards of the neighbour index gave their part. */
export interface Asked {
  readonly request: RetrieveQuery
  readonly query: SourceQuery
  readonly isComplete: boolean
}

/** What asking works with. */
export interface AskingContext {
  readonly enabled: readonly EnabledSource[]
  readonly calibration: Calibration
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  readonly clock: Pick<Clock, 'now'> | undefined
}

/** Asks the sources one after the other, each within its deadline, and merges what they found. */
export function createAsking({ enabled, calibration, catalogue, board, clock }: AskingContext): {
  ask(asked: Asked): RetrievedCandidates
} {
  const merged = createHits(enabled.reduce((sum, { hits }) => sum + hits.rows.length, 0))
  // Of each row its place in the answer under way, -1 for none.
  let places = new Int32Array(0)

  function candidatesOf(answers: readonly EnabledSource[]): Pick<RetrievedCandidates, 'pinIds' | 'scores' | 'sources'> {
    if (places.length < catalogue.size) places = new Int32Array(Math.max(1024, 2 * catalogue.size)).fill(-1)
    for (let i = 0; i < merged.count; i++) places[merged.rows[i] ?? 0] = i
    const sources = answers.map(({ source, hits }) => placed(source.name, hits, places))
    const pinIds: PinId[] = []
    for (let i = 0; i < merged.count; i++) {
      const row = merged.rows[i] ?? 0
      places[row] = -1
      pinIds.push(catalogue.pinIdOf(row))
    }
    return { pinIds, scores: merged.scores.slice(0, merged.count), sources }
  }

  return {
    ask({ request, query, isComplete }) {
      const startedAtMs = clock?.now() ?? 0
      const tookMs = (): number => (clock === undefined ? 0 : clock.now() - startedAtMs)
      const answers: EnabledSource[] = []
      const skipped: string[] = []
      const interrupted: string[] = []
      for (const entry of enabled) {
        const { source, hits } = entry
        if (request.sources?.includes(source.name) === false) continue
        const deadlineMs = Math.min(entry.deadlineMs, request.deadlineMs ?? Infinity)
        if (tookMs() > deadlineMs) {
          skipped.push(source.name)
          continue
        }
        hits.count = 0
        const interruption = clock === undefined ? uninterrupted : createInterruption(() => tookMs() > deadlineMs)
        source.query(query, hits, interruption)
        if (interruption.happened) interrupted.push(source.name)
        answers.push(entry)
      }
      const incomplete = answers.flatMap(({ source }) =>
        isComplete || source.reads === undefined ? [] : [source.name],
      )
      const limit = Math.min(request.limit, merged.rows.length)
      const evidence = evidenceOf(query, query.index.trails)
      mergeHits(answers, { catalogue, board, evidence, learned: calibration.part }, { limit, hits: merged })
      return { ...candidatesOf(answers), skipped, interrupted, incomplete }
    },
  }
}

function placed(name: string, hits: Hits, places: Int32Array): SourceCandidates {
  const candidates = new Int32Array(hits.count)
  const scores = new Float32Array(hits.count)
  const ranks = new Int32Array(hits.count)
  let count = 0
  for (let i = 0; i < hits.count; i++) {
    const place = places[hits.rows[i] ?? 0] ?? -1
    if (place < 0) continue
    candidates[count] = place
    scores[count] = hits.scores[i] ?? 0
    ranks[count++] = i + 1
  }
  return { name, candidates: candidates.slice(0, count), scores: scores.slice(0, count), ranks: ranks.slice(0, count) }
}
