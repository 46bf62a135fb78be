import { hash32, mix32 } from '@freshet/domain/hash'
import { positiveActions, type Engagement } from '@freshet/domain/engagement'
import type { PinId } from '@freshet/domain/ids'

import { rankIn, silent, type Calibration } from './calibration.ts'
import type { Catalogue } from '../views/catalogue.ts'
import type { EnabledSource } from '../query/enabled-sources.ts'
import { measureEvidence } from './evidence.ts'
import type { Features } from './features.ts'
import { uninterrupted } from '../interruption.ts'
import { toTrainingQuery } from './training-examples.ts'
import { mixHits } from './merge.ts'
import { modes, type Mode } from './modes.ts'
import type { IndexReading, NeighbourIndex } from '../neighbours/neighbour-index.ts'
import type { QueryBuilder } from '../query/query.ts'
import type { RecentAction, RetrieveQuery } from '../question.ts'
import { rateHalfLivesMs, type Rates } from '../views/rates.ts'
import type { Hits, ScoreBoard } from '@freshet/columns/score-board'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import type { SourceQuery } from '../source.ts'
import type { Stack } from './stack.ts'

/** A positive action as the merge learns from it: the query just before it, and the pin that the user took. */
export interface TrainingExample {
  readonly question: RetrieveQuery
  readonly pinId: PinId
}

/** Teaches the merge from the log: just before an action is folded, it queries all sources and records where they ranked the pin. */
export interface MergeLearner {
  /**
   * Returns null for an action that teaches nothing, see `toTrainingQuery`, and for a user of another shard.
   * `waiting`: the user's actions that wait for the next mark.
   */
  toExample(engagement: Engagement, waiting?: readonly RecentAction[]): TrainingExample | null
  /** Queries the sources and encodes what their answers teach; `gathered`: the index, if shards hold it. */
  examine(example: TrainingExample, gathered: IndexReading | null): Int32Array
  learn(numbers: Int32Array): void
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** What the learner works with. */
export interface MergeLearnerContext {
  readonly enabled: readonly EnabledSource[]
  readonly calibrations: Readonly<Record<Mode, Calibration>>
  readonly stacks: Readonly<Record<Mode, Stack>>
  readonly features: Features
  readonly rates: Rates
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  readonly index: NeighbourIndex
  readonly queries: QueryBuilder
}

/** Number of pins to rank in the `among` query of a training example. */
const ranked = 100

/** Creates the learner that updates the calibrations, the stacks, the rates and the adaptive sources. */
export function createMergeLearner(context: MergeLearnerContext): MergeLearner {
  const { enabled, calibrations, stacks, features, rates, catalogue, board, index, queries } = context
  const stackWidth = stacks.open.exampleWidth
  const modeWidth = enabled.length + stackWidth
  const adapting = enabled.flatMap(({ source, hits }) =>
    source.adaptation === undefined ? [] : [{ adaptation: source.adaptation, hits }],
  )
  const rateWidth = rateHalfLivesMs.length
  const total =
    modes.length * modeWidth + rateWidth + adapting.reduce((sum, { adaptation }) => sum + adaptation.width, 0)

  let lastExampleMs = -Infinity

  function ask(query: SourceQuery): void {
    for (const { source, hits } of enabled) {
      hits.count = 0
      source.query(query, hits, uninterrupted)
    }
  }

  /** Encodes where the answers in the hits rank the pin, for one kind of query. */
  function examineMode(mode: Mode, { query, row, into }: { query: SourceQuery; row: number; into: Int32Array }): void {
    enabled.forEach(({ hits }, at) => (into[at] = rankIn(hits, row)))
    const evidence = measureEvidence(query, query.index.trails)
    mixHits(enabled, { board, evidence, mode, learned: calibrations[mode].part })
    features.fill(enabled, query.recentCount)
    stacks[mode].examine(features, features.candidateOf(row), into.subarray(enabled.length))
  }

  /** Draws the pins of the `among` query by a hash of the training example. */
  function drawn({ question, pinId }: TrainingExample): PinId[] {
    const pinIds = [pinId]
    const start = hash32(`${question.userId}\n${pinId}\n${question.atMs}`, ranked)
    for (let i = 0; i < ranked - 1; i++) {
      const row = mix32(start + i) % catalogue.size
      if (catalogue.isShown(row)) pinIds.push(catalogue.pinIdOf(row))
    }
    return pinIds
  }

  return {
    toExample(engagement, waiting = []) {
      const { subject, action } = engagement
      if (subject.kind !== 'pin' || !positiveActions.includes(action)) return null
      const { pinId } = subject
      const { samples } = calibrations.open
      const question = toTrainingQuery(engagement, { pinId, samples, lastExampleMs, waiting }, { catalogue, ...index })
      if (question === null) return null
      lastExampleMs = question.atMs
      return { question, pinId }
    },
    examine(example, gathered) {
      const { question, pinId } = example
      const row = catalogue.rowOf(pinId)
      const numbers = new Int32Array(total)
      const part = (mode: Mode): Int32Array => {
        const at = modes.indexOf(mode) * modeWidth
        return numbers.subarray(at, at + modeWidth)
      }
      for (const mode of modes) part(mode).fill(silent, 0, enabled.length)
      numbers.fill(-1, modes.length * modeWidth + rateWidth)
      // No answer can hold a pin that is never shown.
      if (row < 0 || !catalogue.isShown(row)) return numbers
      const had = new Set((question.recent ?? []).map((action) => action.pinId))
      const query = queries.build(question, gathered)
      ask(query)
      examineMode('open', { query, row, into: part('open') })
      if (had.has(pinId)) return numbers
      const hadRows = new Set(Array.from(had, (id) => catalogue.rowOf(id)))
      for (const { hits } of enabled) leaveOut(hits, hadRows)
      examineMode('closed', { query, row, into: part('closed') })
      let at = modes.length * modeWidth
      rates.examine(row, numbers.subarray(at, (at += rateWidth)))
      const exclude = [...had]
      const closed = queries.build({ ...question, exclude }, gathered)
      for (const { adaptation, hits } of adapting) {
        const into = numbers.subarray(at, (at += adaptation.width))
        adaptation.examine({ query: closed, row, rank: rankIn(hits, row) }, into)
      }
      if (catalogue.size > 2 * ranked) {
        const among = queries.build({ ...question, exclude, among: drawn(example) }, gathered)
        ask(among)
        examineMode('among', { query: among, row, into: part('among') })
      }
      return numbers
    },
    learn(numbers) {
      // Another shard has other sources enabled: its numbers do not apply here.
      if (numbers.length !== total) return
      modes.forEach((mode, n) => {
        const at = n * modeWidth
        calibrations[mode].learn(numbers.subarray(at, at + enabled.length))
        stacks[mode].learn(numbers.slice(at + enabled.length, at + modeWidth))
      })
      let at = modes.length * modeWidth
      rates.learn(numbers.slice(at, (at += rateWidth)))
      for (const { adaptation } of adapting) adaptation.learn(numbers.slice(at, (at += adaptation.width)))
    },
    save(writer) {
      for (const mode of modes) {
        calibrations[mode].save(writer.under(`calibration-${mode}`))
        stacks[mode].save(writer.under(`stack-${mode}`))
      }
      writer.f64('lastLessonMs', Float64Array.of(lastExampleMs))
    },
    load(reader) {
      for (const mode of modes) {
        calibrations[mode].load(reader.under(`calibration-${mode}`))
        stacks[mode].load(reader.under(`stack-${mode}`))
      }
      lastExampleMs = reader.f64('lastLessonMs')[0] ?? -Infinity
    },
  }
}

/** Removes rows from an answer. */
function leaveOut(hits: Hits, rows: ReadonlySet<number>): void {
  let count = 0
  for (let i = 0; i < hits.count; i++) {
    const row = hits.rows[i] ?? -1
    if (rows.has(row)) continue
    hits.rows[count] = row
    hits.scores[count++] = hits.scores[i]!
  }
  hits.count = count
}
