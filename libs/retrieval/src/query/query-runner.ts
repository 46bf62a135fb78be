import type { Clock } from '@freshet/domain/clock'
import type { PinId } from '@freshet/domain/ids'
import { catalogueSweep } from '@freshet/domain/source-names'

import type { Calibration } from '../merge/calibration.ts'
import type { Catalogue } from '../views/catalogue.ts'
import type { EnabledSource } from './enabled-sources.ts'
import { measureEvidence } from '../merge/evidence.ts'
import type { Features } from '../merge/features.ts'
import { createInterruption, uninterrupted, type Interruption } from '../interruption.ts'
import { mergeHits } from '../merge/merge.ts'
import { chooseMode, type Mode } from '../merge/modes.ts'
import type { RetrievedCandidates, RetrieveQuery, SourceCandidates } from '../question.ts'
import { createHits, type Hits, type ScoreBoard } from '@freshet/columns/score-board'
import { seedsOf } from './seeds.ts'
import type { SourceQuery } from '../source.ts'
import type { Stack } from '../merge/stack.ts'
import { createStacked } from '../merge/stacked.ts'
import { maxSwept, sweepNames, type Sweep, type Swept } from '../sweep/sweep.ts'

/** A request, its query in rows, and whether all shards of the neighbour index gave their part. */
export interface PreparedQuery {
  readonly request: RetrieveQuery
  readonly query: SourceQuery
  readonly isComplete: boolean
}

/** What the query runner works with. */
export interface QueryRunnerContext {
  readonly enabled: readonly EnabledSource[]
  readonly calibrations: Readonly<Record<Mode, Calibration>>
  readonly stacks: Readonly<Record<Mode, Stack>>
  readonly features: Features
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  readonly sweep: Sweep
  readonly clock: Pick<Clock, 'now'> | undefined
}

/** Queries the sources one after the other, each within its deadline, and merges what they found. */
export function createQueryRunner(context: QueryRunnerContext): {
  run(prepared: PreparedQuery): RetrievedCandidates
} {
  const { enabled, calibrations, stacks, features, catalogue, board, sweep, clock } = context
  const mostMerged = enabled.reduce((sum, { hits }) => sum + hits.rows.length, 0)
  const merged = createHits(mostMerged + maxSwept)
  const stacked = createStacked(catalogue, mostMerged)
  // By row: its place in the current answer; -1 for none.
  let places = new Int32Array(0)

  /** Adds pins from the sweep if the sources found too few. */
  function fill({ request, query }: PreparedQuery, interruption: Interruption): Swept | null {
    const missing = (request.fillTo ?? 0) - merged.count
    if (missing <= 0 || query.amongRows !== null || !wantsSweep(request)) return null
    const taken = new Set(merged.rows.subarray(0, merged.count))
    const isTaken = (row: number): boolean => taken.has(row)
    const swept = sweep.run(query, { count: missing, from: request.sweptTo ?? 0, isTaken, interruption })
    const worst = merged.count === 0 ? 1 : (merged.scores[merged.count - 1] ?? 1)
    let n = 1
    for (const found of [sweep.unseen, sweep.again]) {
      for (let i = 0; i < found.count; i++) {
        found.scores[i] = worst / ++n
        merged.rows[merged.count] = found.rows[i]!
        merged.scores[merged.count++] = worst / n
      }
    }
    return swept
  }

  function toCandidates(answers: readonly NamedHits[]): Pick<RetrievedCandidates, 'pinIds' | 'scores' | 'sources'> {
    if (places.length < catalogue.size) places = new Int32Array(Math.max(1024, 2 * catalogue.size)).fill(-1)
    for (let i = 0; i < merged.count; i++) places[merged.rows[i]!] = i
    const sources = answers.map(({ name, hits }) => placed(name, hits, places))
    const pinIds = new Array<PinId>(merged.count)
    for (let i = 0; i < merged.count; i++) {
      const row = merged.rows[i]!
      places[row] = -1
      pinIds[i] = catalogue.pinIdOf(row)
    }
    return { pinIds, scores: merged.scores.slice(0, merged.count), sources }
  }

  function merge(answers: readonly EnabledSource[], { request, query }: PreparedQuery): void {
    const evidence = measureEvidence(query, query.index.trails)
    const mode = chooseMode(query)
    const { liking, recentCount } = query
    const context = { board, evidence, mode, learned: calibrations[mode].part, liking }
    const into = { limit: Math.min(request.limit, mostMerged), hits: merged }
    const stack = stacks[mode]
    if (request.surface === 'home' && answers.length > 1 && stack.isTrusted)
      stacked.merge(answers, { ...context, stack, features, recentCount }, into)
    else mergeHits(answers, context, into)
  }

  return {
    run(prepared) {
      const { request, query, isComplete } = prepared
      const startedAtMs = clock?.now() ?? 0
      const tookMs = (): number => (clock === undefined ? 0 : clock.now() - startedAtMs)
      const answers: EnabledSource[] = []
      const skipped: string[] = []
      const interrupted: string[] = []
      const seeds = new Map<string, Uint16Array>()
      const times: { readonly name: string; readonly ms: number }[] = []
      // One reading of the clock ends one source and starts the next.
      let atMs = tookMs()
      for (const entry of enabled) {
        const { source, hits } = entry
        if (request.sources?.includes(source.name) === false) continue
        const deadlineMs = Math.min(entry.deadlineMs, request.deadlineMs ?? Infinity)
        if (atMs > deadlineMs) {
          skipped.push(source.name)
          continue
        }
        hits.count = 0
        const interruption = clock === undefined ? uninterrupted : createInterruption(() => tookMs() > deadlineMs)
        source.query(query, hits, interruption)
        if (interruption.happened) interrupted.push(source.name)
        answers.push(entry)
        seeds.set(source.name, seedsOf(source, query))
        if (clock === undefined) continue
        const endedMs = tookMs()
        times.push({ name: source.name, ms: endedMs - atMs })
        atMs = endedMs
      }
      const incomplete = answers.flatMap(({ source }) =>
        isComplete || source.reads === undefined ? [] : [source.name],
      )
      merge(answers, prepared)
      const deadlineMs = request.deadlineMs ?? Infinity
      const interruption = clock === undefined ? uninterrupted : createInterruption(() => tookMs() > deadlineMs)
      const swept = fill(prepared, interruption)
      if (interruption.happened) interrupted.push(sweepNames.unseen)
      const named: NamedHits[] = answers.map(({ source: { name }, hits }) => ({ name, hits }))
      if (swept !== null) named.push({ name: sweepNames.unseen, hits: sweep.unseen })
      if (swept !== null && sweep.again.count > 0) named.push({ name: sweepNames.again, hits: sweep.again })
      return {
        ...toCandidates(named),
        skipped,
        interrupted,
        incomplete,
        seeds,
        times,
        sweptTo: swept?.sweptTo ?? request.sweptTo ?? 0,
        exhausted: swept?.exhausted ?? false,
        shownBefore: swept === null ? 0 : sweep.again.count,
      }
    },
  }
}

function wantsSweep({ sources }: RetrieveQuery): boolean {
  return !sources?.length || sources.includes(catalogueSweep)
}

interface NamedHits {
  readonly name: string
  readonly hits: Hits
}

/** The candidates of a source that have a place in the answer. */
function placed(name: string, { rows, scores: found, count: offered }: Hits, places: Int32Array): SourceCandidates {
  let count = 0
  for (let i = 0; i < offered; i++) if (places[rows[i]!]! >= 0) count++
  const candidates = new Int32Array(count)
  const scores = new Float32Array(count)
  const ranks = new Int32Array(count)
  for (let i = 0, at = 0; at < count; i++) {
    const place = places[rows[i]!]!
    if (place < 0) continue
    candidates[at] = place
    scores[at] = found[i]!
    ranks[at++] = i + 1
  }
  return { name, candidates, scores, ranks }
}
