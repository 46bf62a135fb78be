/**
 * `npm run quality` of the ranking language on Frappe_x1: each spec of `specs/` trained by the public command on the same rows.
 *
 *   node test/quality/frappe.ts rows FOLDER OUT         writes OUT/train.jsonl.gz, valid.jsonl.gz and test.jsonl.gz
 *   node test/quality/frappe.ts table [--data FOLDER] [--only NAME] [--json FILE]   trains each spec and prints its test figures as Markdown
 *   node test/quality/frappe.ts table --kept                          prints those of the last training of each spec again
 */
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { writeFigures } from '../harness/figures.ts'
import { writeRecording } from './convert.ts'
import { runFreshet } from './freshet.ts'

const root = join(import.meta.dirname, '../..')
const cache = join(root, 'node_modules/.cache/freshet/frappe')
const specs = join(import.meta.dirname, 'specs')

/** The fields of a line, in the order of the one-hot columns of the benchmark. */
const fields = [
  'user',
  'item',
  'daytime',
  'weekday',
  'isweekend',
  'homework',
  'cost',
  'weather',
  'country',
  'city',
] as const

/** What others published for these test rows: AUC / log loss. */
const published: Readonly<Record<string, string>> = {
  'frappe-fm.rank': '.9671 / .2065',
  'frappe-dcn.rank': 'DeepFM .9842 / .1482',
  'frappe-best.rank': 'FinalMLP .9861 / .1484',
}

const parts = { train: 'train_reconstructed', valid: 'valid', test: 'test' } as const

/** The lines of a libsvm file as rows for `freshet train`: one label `used`, ten categories. */
async function* frappeRows(file: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()) })) {
    const [label, ...columns] = line.trim().split(' ')
    if (columns.length !== fields.length) throw new RangeError(`${file}: a line has ${columns.length} fields: ${line}`)
    const values = Object.fromEntries(columns.map((column, at) => [fields[at]!, column.split(':')[0]!]))
    yield { labels: { used: Number(label) }, values }
  }
}

/** Writes the rows of all parts; returns their number by part. */
async function writeRows(folder: string, out: string): Promise<Readonly<Record<string, number>>> {
  mkdirSync(out, { recursive: true })
  const counts: Record<string, number> = {}
  for (const [part, name] of Object.entries(parts))
    counts[part] = await writeRecording(frappeRows(join(folder, `${name}.libsvm.gz`)), join(out, `${part}.jsonl.gz`))
  return counts
}

/** The figures of the label `used` on the test rows. */
interface Figures {
  readonly auc: number
  readonly logLoss: number
  readonly calibration: number
  readonly deciles: readonly { readonly predicted: number; readonly observed: number }[]
}

interface Report {
  readonly test: { readonly used: Figures }
  readonly epochs: number
  readonly seconds: number
}

const keptFile = (spec: string): string => join(cache, `${spec}.json`)

/** Trains a spec by the public command, keeps its answer and reads the figures on the test rows. */
async function trainSpec(spec: string): Promise<Report> {
  const output = await runFreshet([
    'train',
    join(specs, spec),
    ...['--rows', join(cache, 'train.jsonl.gz'), '--validate', join(cache, 'valid.jsonl.gz')],
    ...['--test', join(cache, 'test.jsonl.gz'), '--seed', '1', '--json'],
  ])
  writeFileSync(keptFile(spec), output)
  return JSON.parse(output) as Report
}

/** The figures of each spec, then predicted and observed shares of the rows by ascending prediction, in tenths. */
function markdown(reports: ReadonlyMap<string, Report>): string {
  const names = [...reports.keys()].map((spec) => spec.replace(/^frappe-|\.rank$/g, ''))
  const all = [...reports.values()].map(({ test }) => test.used)
  const lines = all.map(({ auc, logLoss, calibration }, at) => {
    const { epochs } = [...reports.values()][at]!
    return `| \`${names[at]}\` | ${auc.toFixed(5)} | ${logLoss.toFixed(5)} | ${calibration.toFixed(3)} | ${epochs} |`
  })
  const deciles = Array.from({ length: 10 }, (_, decile) => {
    const cells = all.map(({ deciles: own }) => {
      const { predicted, observed } = own[decile]!
      return `${predicted.toFixed(4)} / ${observed.toFixed(4)}`
    })
    return `| ${decile + 1} | ${cells.join(' | ')} |`
  })
  return [
    '| spec | AUC | log loss | Σ predicted / Σ label | epochs |',
    '|---|---|---|---|---|',
    ...lines,
    '',
    `| decile, predicted / observed | ${names.map((name) => `\`${name}\``).join(' | ')} |`,
    `|---|${names.map(() => '---|').join('')}`,
    ...deciles,
  ].join('\n')
}

/** Trains the specs, or reads what their last training printed. */
async function reportsOf(only: string | undefined, isKept: boolean): Promise<ReadonlyMap<string, Report>> {
  const reports = new Map<string, Report>()
  for (const spec of readdirSync(specs).filter((name) => name.startsWith('frappe-'))) {
    if (only !== undefined && spec !== `frappe-${only}.rank`) continue
    if (!isKept) reports.set(spec, await trainSpec(spec))
    else if (existsSync(keptFile(spec))) reports.set(spec, JSON.parse(readFileSync(keptFile(spec), 'utf8')) as Report)
    else console.error(`${spec} was not trained here`)
  }
  return reports
}

const { values, positionals } = parseArgs({
  options: {
    data: { type: 'string', default: join(root, '../shared/data') },
    only: { type: 'string' },
    kept: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
  allowPositionals: true,
})
const [command, folder, out] = positionals
if (command === 'rows' && folder !== undefined && out !== undefined) console.log(await writeRows(folder, out))
else if (command === 'table') {
  const data = join(resolve(values.data), 'frappe')
  const columns = ['AUC', 'log loss', 'Σ predicted / Σ label', 'epochs', 'published by others']
  if (!existsSync(data)) {
    writeFigures(values.json, { columns, rows: [], problems: ['skipped: frappe is not in the folder of --data'] })
    console.log(`skipped: ${data} is not there`)
  } else {
    if (!existsSync(join(cache, 'test.jsonl.gz'))) console.log(await writeRows(data, cache))
    const reports = await reportsOf(values.only, values.kept)
    console.log(markdown(reports))
    const rows = [...reports].map(([spec, { test, epochs }]) => ({
      key: spec,
      cells: [
        test.used.auc.toFixed(5),
        test.used.logLoss.toFixed(5),
        test.used.calibration.toFixed(3),
        String(epochs),
        published[spec] ?? '',
      ],
    }))
    writeFigures(values.json, { columns, rows, problems: rows.length === 0 ? ['no spec was trained'] : [] })
  }
} else {
  console.error(
    'usage: node test/quality/frappe.ts rows FOLDER OUT | table [--data FOLDER] [--only NAME] [--kept] [--json FILE]',
  )
  process.exitCode = 2
}
