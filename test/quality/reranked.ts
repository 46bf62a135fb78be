/**
 * `npm run quality` of learned ranking: candidates re-ranked by a spec that was learned on earlier questions, asked on later ones.
 *
 *   node test/quality/reranked.ts [--data FOLDER] [--set NAME] [--every N] [--learn-every N] [--split TIME] [--until TIME]
 *
 * For each data set: `freshet evaluate --rows` writes training rows at questions before the split, `freshet train` learns the
 * spec from them, and `freshet evaluate --model` asks every Nth question after the split
 * (and before `--until`) for the merged candidates and for the feed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readArguments } from '../harness/arguments.ts'
import { bootstrapMean, type MeanInterval } from './bootstrap.ts'
import { runFreshet } from './freshet.ts'
import { unordered } from './unordered.ts'
import { recordingOf } from './recordings.ts'

const root = join(import.meta.dirname, '../..')

/** A data set with the time that parts what is learned from and what is asked. */
interface RerankedSet {
  readonly spec: string
  readonly repeats: 'allow' | 'forbid'
  /** Learned from questions before this time, asked from it on. */
  readonly split: string
}

const sets = {
  // Learned in periods 1 to 4, asked in periods 5 to 16; period p begins p weeks after 2016-01-04.
  diginetica: { spec: 'diginetica.rank', repeats: 'allow', split: '2016-02-08T00:00:00Z' },
  // Learned in the first 40 % of the questions, asked in the rest.
  movietweetings: { spec: 'movietweetings.rank', repeats: 'forbid', split: '2013-06-20T00:00:00Z' },
} as const satisfies Record<string, RerankedSet>

const figures = {
  'hr@10': (rank: number) => Number(rank > 0 && rank <= 10),
  'hr@20': (rank: number) => Number(rank > 0 && rank <= 20),
  'mrr@20': (rank: number) => (rank > 0 && rank <= 20 ? 1 / rank : 0),
} as const
type Figure = keyof typeof figures

/** A figure of the merged candidates and of the re-ranked ones, over the same questions. */
interface Compared {
  readonly merged: number
  readonly reranked: number
  readonly difference: MeanInterval
}

/** What came out. */
interface RerankedReport {
  readonly questions: number
  readonly rows: number
  readonly trainingSeconds: number
  readonly figures: Readonly<Record<Figure, Compared>>
  /** Mean over the groups of the questions: those of the merged candidates and of the re-ranked ones. */
  readonly meanOverGroups: readonly Readonly<Record<string, number>>[]
}

/** Learns a spec before the split and asks after it, by the public commands. `folder` keeps rows, model and answers. */
export async function rerank(
  set: RerankedSet,
  { recording, spec, folder, every, learnEvery, until }: RerankOptions,
): Promise<RerankedReport> {
  mkdirSync(folder, { recursive: true })
  const file = (name: string): string => join(folder, name)
  writeFileSync(file('config.json'), JSON.stringify({ ranking: { specFile: resolve(spec) }, blender: unordered }))
  const replay = ['evaluate', recording, '--repeats', set.repeats, '--config', file('config.json'), '--json']
  await runFreshet([
    ...[...replay, '--ask', 'feed', '--until', set.split, '--every', String(learnEvery)],
    ...['--rows', file('rows.jsonl.gz')],
  ])
  const trained = JSON.parse(
    await runFreshet(['train', spec, '--rows', file('rows.jsonl.gz'), '--out', file('model'), '--json']),
  ) as { readonly rows: number; readonly seconds: number }
  const output = await runFreshet([
    ...[...replay, '--ask', 'candidates,feed', '--from', set.split, '--every', String(every)],
    ...['--model', file('model/model.freshet'), '--answers', file('answers.jsonl')],
    ...(until === undefined ? [] : ['--until', until]),
  ])
  const reports = output
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { readonly meanOverGroups: Readonly<Record<string, number>> })
  const ranks = readRanks(file('answers.jsonl'))
  return {
    questions: ranks.merged.length,
    rows: trained.rows,
    trainingSeconds: trained.seconds,
    figures: Object.fromEntries(
      Object.entries(figures).map(([name, figure]) => [name, compare(ranks, figure)]),
    ) as RerankedReport['figures'],
    meanOverGroups: reports.map(({ meanOverGroups }) => meanOverGroups),
  }
}

interface RerankOptions {
  readonly recording: string
  readonly spec: string
  readonly folder: string
  /** Ask every nth question after the split. */
  readonly every: number
  /** Learn from every nth question before the split. */
  readonly learnEvery: number
  /** Ask only questions before this time. */
  readonly until?: string
}

/** Ranks of the targets in the merged candidates and in the feed, question by question. */
interface Ranks {
  readonly merged: readonly number[]
  readonly reranked: readonly number[]
}

function readRanks(answers: string): Ranks {
  const lines = readFileSync(answers, 'utf8').trimEnd().split('\n')
  const answered = lines.map((text) => JSON.parse(text) as { readonly ask: string; readonly rank: number })
  const of = (asked: string): readonly number[] => answered.filter(({ ask }) => ask === asked).map(({ rank }) => rank)
  return { merged: of('candidates'), reranked: of('feed') }
}

function compare({ merged, reranked }: Ranks, figure: (rank: number) => number): Compared {
  const mean = (ranks: readonly number[]): number => ranks.reduce((sum, rank) => sum + figure(rank), 0) / ranks.length
  const differences = Float64Array.from(merged, (rank, at) => figure(reranked[at]!) - figure(rank))
  return { merged: mean(merged), reranked: mean(reranked), difference: bootstrapMean(differences) }
}

function print(name: string, report: RerankedReport): void {
  const percent = (value: number): string => (100 * value).toFixed(2)
  const signed = (value: number): string => `${value < 0 ? '' : '+'}${percent(value)}`
  console.log(
    `${name}: ${report.questions} questions, learned from ${report.rows} rows in ${report.trainingSeconds.toFixed(0)} s`,
  )
  for (const [figure, { merged, reranked, difference }] of Object.entries(report.figures)) {
    const { mean, low, high } = difference
    const groups = report.meanOverGroups.flatMap((means) => (figure in means ? [percent(means[figure]!)] : []))
    const ofGroups = groups.length === 2 ? `   mean over groups ${groups.join(' → ')}` : ''
    console.log(
      `  ${figure.padEnd(8)}${percent(merged)} → ${percent(reranked)}   ${signed(mean)} [${signed(low)}, ${signed(high)}]${ofGroups}`,
    )
  }
}

if (process.argv[1] === import.meta.filename) {
  const values = readArguments(
    'node test/quality/reranked.ts',
    {
      data: { type: 'string', default: join(root, '../shared/data') },
      set: { type: 'string' },
      every: { type: 'string', default: '20' },
      'learn-every': { type: 'string', default: '8' },
      split: { type: 'string' },
      until: { type: 'string' },
    },
    { data: 'FOLDER', set: 'NAME', every: 'N', 'learn-every': 'N', split: 'TIME', until: 'TIME' },
  )
  console.log(`every ${values.every}th question; figures in %, differences with their 95 % interval`)
  for (const [name, set] of Object.entries(sets)) {
    if (values.set !== undefined && values.set !== name) continue
    const data = join(resolve(values.data), name)
    if (existsSync(data)) {
      const chosen = { ...set, split: values.split ?? set.split }
      const report = await rerank(chosen, {
        recording: await recordingOf(name as keyof typeof sets, data),
        spec: join(import.meta.dirname, 'specs', set.spec),
        folder: join(root, 'node_modules/.cache/freshet/reranked', name),
        every: Number(values.every),
        learnEvery: Number(values['learn-every']),
        ...(values.until !== undefined && { until: values.until }),
      })
      print(name, report)
    } else console.log(`${name}: NOT MEASURED, because ${data} is not there`)
  }
}
