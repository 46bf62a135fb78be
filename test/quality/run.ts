/**
 * `npm run quality`: what is recommended, measured on public data beside published figures.
 *
 *   node test/quality/run.ts [--data FOLDER] [--every N] [--only TEXT] [--set NAME] [--ablation] [--json FILE]
 *
 * Each row is one `freshet evaluate`. `--every N` asks every Nth question (all events are folded all the same);
 * `--only` takes the rows whose name holds TEXT, `--set` those of one data set; `--ablation` instead asks each question of
 * the union, of each source alone, of Pin2Vec and co-occurrence together and of the union without each, all in one replay.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import { type FigureRow, writeFigures } from '../harness/figures.ts'
import { readArguments } from '../harness/arguments.ts'
import { runFreshet } from './freshet.ts'
import { pictureFigures, pictureLines } from './pictures.ts'
import { relatedFigures, relatedLines } from './related.ts'
import { recordingOf, recordingsFolder as cache } from './recordings.ts'
import { figures, qualityRows, type QualityRow } from './rows.ts'

const root = join(import.meta.dirname, '../..')

const ablationSets = [
  { set: 'diginetica', repeats: 'allow' },
  { set: 'movietweetings', repeats: 'forbid' },
] as const

/** Unions of two that must be above both alone. */
const pairs = ['pin2vec+co-occurrence']

interface Report {
  readonly questions: number
  readonly answered: number
  readonly seconds: number
  readonly events: number
  readonly metrics: Readonly<Record<string, number>>
  readonly meanOverGroups: Readonly<Record<string, number>>
}

/** Where a data set's recording is. null: the data is not there. */
function recordingIn(set: QualityRow['set'], data: string): Promise<string> | null {
  const folder = join(data, set)
  return existsSync(folder) ? recordingOf(set, folder) : null
}

/** Runs one row by the public command. */
export function evaluateRow(
  row: Pick<QualityRow, 'ask' | 'refresh' | 'repeats' | 'sources'>,
  recording: string,
  every: number,
  more: readonly string[] = [],
): Promise<Report> {
  mkdirSync(cache, { recursive: true })
  const config = join(cache, `config-${process.pid}.json`)
  writeFileSync(
    config,
    JSON.stringify(row.sources === null ? {} : { candidates: { retrieval: { sources: only(row.sources) } } }),
  )
  const args = [
    'evaluate',
    recording,
    '--ask',
    row.ask,
    '--refresh',
    row.refresh,
    '--repeats',
    row.repeats,
    '--every',
    String(every),
    '--json',
    '--config',
    config,
  ]
  return runFreshet([...args, ...more]).then((output) => JSON.parse(output) as Report)
}

function only(wanted: readonly string[]): Record<string, { enabled: boolean }> {
  return Object.fromEntries(sourceDefinitions.map(({ name }) => [name, { enabled: wanted.includes(name) }]))
}

/** The ablation: the union, each source alone, pairs, and the union without each, from one replay. */
async function ablation(
  { set, repeats }: Pick<QualityRow, 'set' | 'repeats'>,
  recording: string,
  every: number,
): Promise<void> {
  const names = sourceDefinitions.filter(({ enabled }) => enabled).map(({ name }) => name)
  const asks = [
    'candidates',
    ...names.map((name) => `source:${name}`),
    ...pairs.map((pair) => `source:${pair}`),
    ...names.map((name) => `without:${name}`),
  ]
  const output = await runFreshet([
    ...['evaluate', recording, '--ask', asks.join(','), '--repeats', repeats, '--every', String(every), '--json'],
  ])
  for (const text of output.trimEnd().split('\n')) {
    const report = JSON.parse(text) as Report & { readonly ask: string }
    console.log(line({ set, name: report.ask, aims: {}, note: `answered ${report.answered}` }, report))
  }
}

/** A row as figures of a file, in %. */
function figureRow(row: QualityRow, report: Report): FigureRow {
  const means = row.set === 'diginetica' ? report.meanOverGroups : report.metrics
  const cells = figures.map((figure) => ((means[figure] ?? 0) * 100).toFixed(2))
  return { key: row.name, cells: [...cells, report.questions.toLocaleString('en'), row.note] }
}

function line(row: Pick<QualityRow, 'set' | 'name' | 'aims' | 'note'>, report: Report): string {
  const means = row.set === 'diginetica' ? report.meanOverGroups : report.metrics
  const cells = figures.map((figure) => {
    const value = (means[figure] ?? 0) * 100
    const aim = row.aims[figure]
    return `${value.toFixed(2)}${aim === undefined ? '' : value >= aim ? ` ≥ ${aim}` : ` < ${aim} !`}`.padStart(15)
  })
  return `${row.set.padEnd(15)}${row.name.padEnd(36)}${cells.join('')}${String(report.questions).padStart(9)}${report.seconds.toFixed(0).padStart(7)} s  ${row.note}`
}

if (process.argv[1] === import.meta.filename) {
  const values = readArguments(
    'npm run quality --',
    {
      data: { type: 'string', default: join(root, '../shared/data') },
      every: { type: 'string', default: '20' },
      only: { type: 'string' },
      set: { type: 'string' },
      ablation: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
    { data: 'FOLDER', every: 'N', only: 'TEXT', set: 'NAME', json: 'FILE' },
  )
  const every = Number(values.every)
  const data = resolve(values.data)
  const kept: FigureRow[] = []
  const problems: string[] = []
  console.log(
    `every ${every === 1 ? 'question' : `${every}th question`}; figures in %, of DIGINETICA the mean over its 16 cycles; "!" is below the aim\n`,
  )
  console.log(
    `${'set'.padEnd(15)}${'asked'.padEnd(36)}${figures.map((name) => name.padStart(15)).join('')}${'questions'.padStart(9)}${'time'.padStart(9)}`,
  )
  const chosen = ({ set }: Pick<QualityRow, 'set'>): boolean => values.set === undefined || values.set === set
  if (values.ablation) {
    for (const base of ablationSets.filter(chosen)) {
      const recording = await recordingIn(base.set, data)
      if (recording === null) console.log(`${base.set.padEnd(15)}skipped: ${join(data, base.set)} is not there`)
      else await ablation(base, recording, every)
    }
  } else {
    for (const row of qualityRows.filter(chosen)) {
      if (values.only !== undefined && !row.name.includes(values.only)) continue
      const recording = await recordingIn(row.set, data)
      if (recording === null) {
        problems.push(`${row.name}: skipped, ${row.set} is not in the folder of --data`)
        console.log(`${row.set.padEnd(15)}${row.name.padEnd(36)} skipped: ${join(data, row.set)} is not there`)
        continue
      }
      const report = await evaluateRow(row, recording, every)
      kept.push(figureRow(row, report))
      console.log(line(row, report))
    }
    if (values.set === undefined && values.only === undefined) {
      console.log(`\n${pictureLines(pictureFigures(1)).join('\n')}`)
      console.log(`\n${relatedLines(await relatedFigures(20, 10_000)).join('\n')}`)
    }
    const columns = [...figures.map((name) => name.toUpperCase()), 'questions', 'published by others']
    writeFigures(values.json, { columns, rows: kept, problems })
  }
}
