/**
 * `npm run quality` of the ranking language on Frappe_x1: each spec of `specs/` trained by the public command on the same rows.
 *
 *   node test/quality/frappe.ts rows FOLDER OUT         writes OUT/train.jsonl.gz, valid.jsonl.gz and test.jsonl.gz
 *   node test/quality/frappe.ts table [--data FOLDER] [--only NAME]   trains each spec and prints its test figures
 */
import { createReadStream, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
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

interface Report {
  readonly test: Readonly<
    Record<string, { readonly auc: number; readonly logLoss: number; readonly calibration: number }>
  >
  readonly epochs: number
  readonly seconds: number
}

/** Trains a spec by the public command and reads its figures on the test rows. */
async function trainSpec(spec: string): Promise<Report> {
  const output = await runFreshet([
    'train',
    join(specs, spec),
    ...['--rows', join(cache, 'train.jsonl.gz'), '--validate', join(cache, 'valid.jsonl.gz')],
    ...['--test', join(cache, 'test.jsonl.gz'), '--seed', '1', '--json'],
  ])
  return JSON.parse(output) as Report
}

const { values, positionals } = parseArgs({
  options: { data: { type: 'string', default: join(root, '../shared/data') }, only: { type: 'string' } },
  allowPositionals: true,
})
const [command, folder, out] = positionals
if (command === 'rows' && folder !== undefined && out !== undefined) console.log(await writeRows(folder, out))
else if (command === 'table') {
  const data = join(resolve(values.data), 'frappe')
  if (!existsSync(data)) console.log(`skipped: ${data} is not there`)
  else {
    if (!existsSync(join(cache, 'test.jsonl.gz'))) console.log(await writeRows(data, cache))
    console.log(`${'spec'.padEnd(24)}${'AUC'.padStart(9)}${'log loss'.padStart(10)}${'Σp/Σy'.padStart(8)}`)
    for (const spec of readdirSync(specs).filter((name) => name.startsWith('frappe-'))) {
      if (values.only !== undefined && spec !== `frappe-${values.only}.rank`) continue
      const { test, epochs, seconds } = await trainSpec(spec)
      const { auc, logLoss, calibration } = test['used']!
      const cells = [auc.toFixed(5).padStart(9), logLoss.toFixed(4).padStart(10), calibration.toFixed(3).padStart(8)]
      console.log(`${spec.padEnd(24)}${cells.join('')}   ${epochs} epochs, ${seconds.toFixed(0)} s`)
    }
  }
} else {
  console.error('usage: node test/quality/frappe.ts rows FOLDER OUT | table [--data FOLDER] [--only NAME]')
  process.exitCode = 2
}
