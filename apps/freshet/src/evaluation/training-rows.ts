import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { float32Column, uint16Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { RankRequest, RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { mulberry32 } from '@freshet/domain/mulberry32'
import type { Question } from './recording.ts'

/** What the ranker was asked about the candidates of a question, in retrieval order, and its answer with the features that it read. */
export interface RankedPage {
  readonly request: RankRequest
  readonly response: RankResponse
}

/** A training row, as `freshet train --rows` reads it. */
interface TrainingRow {
  readonly labels: Readonly<Record<string, number>>
  readonly values: Readonly<Record<string, number | string | readonly string[]>>
  /** How many candidates the row stands for. */
  readonly weight: number
  /** Rows of one group were ranked against each other. */
  readonly group: string
}

/** How many candidates of a question that are no target become rows. */
interface NegativeSampling {
  /** The first ones in retrieval order, all of them. */
  readonly first: number
  /** Of the others, drawn at random; each stands for its share of them. */
  readonly drawn: number
}

/** The label of a row: 1 if the candidate is a target of the question. */
const targetLabel = 'target'

/** The rows of one question: its targets, and a weighted sample of the other candidates. */
export function rowsOfQuestion(
  question: Question,
  { request, response }: RankedPage,
  { sampling, random }: { readonly sampling: NegativeSampling; readonly random: () => number },
): readonly TrainingRow[] {
  const targets = new Set(question.targets)
  const rest = request.pinIds.length - sampling.first
  const share = rest > sampling.drawn ? sampling.drawn / rest : 1
  const features = float32Column(response.features)
  const foundBy = uint32Column(request.foundBy)
  const names = response.featureNames
  const creators = textsOf(response, 'pin.creator')
  const topics = textsOf(response, 'pin.topics')
  const rows: TrainingRow[] = []
  for (const [row, pinId] of request.pinIds.entries()) {
    const isTarget = targets.has(pinId)
    const isDrawn = !isTarget && row >= sampling.first
    if (isDrawn && random() >= share) continue
    const values: Record<string, number | string | readonly string[]> = {
      at: question.atMs,
      user: request.userId,
      pin: pinId,
      surface: request.surface === Surface.RELATED ? 'related' : 'home',
      sources: request.sources.filter((_, source) => ((foundBy[row]! >>> source) & 1) === 1),
    }
    const [creator] = creators?.[row] ?? []
    if (creator !== undefined) values['creator'] = creator
    if (topics !== null) values['topics'] = topics[row]!
    for (const [column, name] of names.entries()) values[name] = features[row * names.length + column]!
    rows.push({
      labels: { [targetLabel]: isTarget ? 1 : 0 },
      values,
      weight: isDrawn ? 1 / share : 1,
      group: `${request.userId}@${question.atMs}`,
    })
  }
  return rows
}

/** The texts of each candidate that the ranker read about its pin; null: its plan does not read them. */
function textsOf({ facts }: RankResponse, name: string): readonly (readonly string[])[] | null {
  const fact = facts.find((each) => each.name === name)
  if (fact === undefined) return null
  let next = 0
  return Array.from(uint16Column(fact.counts), (count) => fact.texts.slice(next, (next += count)))
}

/** Writes the rows of questions to a file of JSON lines (`.gz`: compressed). Memory holds the rows of one question. */
export interface RowsFile {
  /** Resolves when the file can take more. */
  add(question: Question, page: RankedPage): Promise<void>
  close(): Promise<{ readonly questions: number; readonly rows: number; readonly targets: number }>
}

/** Opens the file. The same questions and seed give the same rows. */
export function createRowsFile(file: string, sampling: NegativeSampling, seed: number): RowsFile {
  const out = createWriteStream(file)
  const into = file.endsWith('.gz') ? createGzip({ level: 1 }) : out
  if (into !== out) into.pipe(out)
  const random = mulberry32(seed)
  const count = { questions: 0, rows: 0, targets: 0 }
  return {
    async add(question, page) {
      const rows = rowsOfQuestion(question, page, { sampling, random })
      count.questions++
      count.rows += rows.length
      count.targets += rows.filter(({ labels }) => labels[targetLabel] === 1).length
      const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
      if (!into.write(text)) await new Promise<void>((done) => into.once('drain', done))
    },
    async close() {
      into.end()
      await finished(out)
      return count
    },
  }
}
