/**
 * The tables of the READMEs, generated from the code. `npm run readme:update` writes them; readme.test.ts compares.
 *
 *   node test/architecture/readme-tables.ts
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCatalogue } from '@freshet/contracts/errors'
import { ingestProblems } from '@freshet/contracts/json/problems'
import { topics } from '@freshet/contracts/topics'
import { describeConfig } from '@freshet/service/setting-rows'
import { metricCatalogue } from '@freshet/service/metric-catalogue'
import { accessErrorCatalogue } from '@freshet/access/errors'
import { accessMatrix, callerKinds, type MatrixRow } from '@freshet/freshet/keys/matrix'
import { serviceErrorCatalogue } from '@freshet/service/errors'
import { argumentErrorCatalogue, operationErrorCatalogue } from '@freshet/freshet/operations/errors'
import { consoleErrorCatalogue } from '@freshet/freshet/console/errors'
import { worldErrorCatalogue } from '@freshet/freshet/world/errors'
import { rankingErrorCatalogue } from '@freshet/ranking/errors'
import { snapshotErrorCatalogue } from '@freshet/columns/errors'
import { experimentErrorCatalogue } from '@freshet/experiments/file/experiments-error'
import { features } from '@freshet/ranking/features/catalogue'
import { needFailures } from '@freshet/ranking/features/context'
import { formatType } from '@freshet/ranking/plan/value-type'
import { renderReference } from '@freshet/ranking/language/reference'
import { servingInputs } from '@freshet/ranking/language/serving-inputs'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { describeSpec } from '@freshet/ranking/spec/schema'
import { transforms } from '@freshet/ranking/spec/transforms/catalogue'
import { retrievalErrorCatalogue } from '@freshet/retrieval/errors'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import type { z } from 'zod'
import { coverage } from '../chaos/coverage.ts'
import { retentionRows } from './retention.ts'
import { reachedTable } from '../results/reached.ts'
import { readRecords } from '../results/record.ts'
import { renderResults } from '../results/render.ts'

export const root = join(import.meta.dirname, '../..')

/** Every README of ours and every runbook, as a path below the root. */
export const readmeFiles: readonly string[] = [
  '.',
  'deploy',
  'deploy/helm/freshet',
  'deploy/monitoring',
  'test',
  ...['apps', 'libs', 'test'].flatMap((folder) => readdirSync(join(root, folder)).map((room) => `${folder}/${room}`)),
]
  .map((folder) => join(folder, 'README.md'))
  .concat(readdirSync(join(root, 'deploy/monitoring/runbooks')).map((file) => `deploy/monitoring/runbooks/${file}`))
  .filter((file) => existsSync(join(root, file)))

type Row = readonly string[]

/** Services with settings of their own. */
const configured = ['event-ingest', 'feature-updater', 'candidate-service', 'ranker', 'trainer', 'blender'] as const

function table(head: Row, rows: readonly Row[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')
}

function code(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ')
}

function packageDescription(app: string): string {
  return (
    (JSON.parse(readFileSync(join(root, 'apps', app, 'package.json'), 'utf8')) as { description?: string })
      .description ?? ''
  )
}

/** Interfaces exported by the ports of libs/contracts, and the first sentence of what is said of them. */
function ports(): Row[] {
  const folder = join(root, 'libs/contracts/src/ports')
  const wanted = ['EventLog', 'StateStore', 'CandidateService', 'Ranker', 'ArtefactStore']
  const rows = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport interface (\w+)/g)]
      .filter(([, , name]) => wanted.includes(name!))
      .map(([, said, name]) => [`\`${name!}\``, firstSentence(said!), `\`libs/contracts/src/ports/${file}\``])
  })
  const rest: Row[] = [
    [
      '`VectorIndex`',
      'A similarity search over vectors of one width, keyed by row number.',
      '`libs/domain/src/vector-index.ts`',
    ],
    ['`Clock`, `Random`', 'Time and chance, from outside.', '`libs/domain/src/clock.ts`'],
  ]
  return [...rows, ...rest]
}

function firstSentence(said: string): string {
  const text = said.replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim()
  return /^.*?[.?!](?=\s|$)/.exec(text)?.[0] ?? text
}

/** Who may make which call. Methods of one path with equal answers share a row. */
function accessRows(rows: readonly MatrixRow[]): Row[] {
  const byCells = Map.groupBy(rows, ({ server, call, rule, cells }) =>
    JSON.stringify([server, call.split(' ').at(-1), rule, cells]),
  )
  return [...byCells.values()].map((equal) => {
    const { server, call, rule, cells } = equal[0]!
    const methods = equal.map((row) => row.call.split(' ')[0]!).filter((method) => method !== 'HEAD')
    const path = call.split(' ').at(-1)
    const name = server === 'grpc' ? call : `${methods.join(', ')} ${path}`
    return [server, `\`${name}\``, rule, ...Object.values(cells)]
  })
}

async function settings(app: string): Promise<Row[]> {
  const { processSchema } = (await import(/* @vite-ignore */ join(root, 'apps', app, 'src/config.ts'))) as {
    processSchema: z.ZodObject
  }
  return describeConfig(processSchema).map((row) => [
    `\`${row.path}\``,
    `\`${row.env}\``,
    row.default === '' ? 'required' : `\`${row.default}\``,
    [row.bounds, row.unit].filter((part) => part !== '').join(' '),
    row.description,
  ])
}

/** Every table by its name in a README. */
export async function readmeTables(): Promise<ReadonlyMap<string, string>> {
  const tables = new Map<string, string>()
  const apps = readdirSync(join(root, 'apps'))
  tables.set(
    'apps',
    table(
      ['app', 'does'],
      apps.map((app) => [`[\`${app}\`](apps/${app}/README.md)`, packageDescription(app)]),
    ),
  )
  tables.set(
    'topics',
    table(
      ['topic', 'key', 'cleanup', 'message', 'what'],
      Object.entries(topics).map(([name, { key, cleanup, message, meaning }]) => [
        `\`${name}\``,
        key,
        cleanup,
        `\`${message}\``,
        meaning,
      ]),
    ),
  )
  tables.set('retention', table(['what', 'where', 'kept for, by default', 'setting'], await retentionRows()))
  tables.set(
    'faults',
    table(
      ['fault', 'rows of npm run chaos', 'tests', 'not played'],
      coverage.map(({ fault, rows, tests, missing }) => [fault, code(rows), code(tests), missing]),
    ),
  )
  tables.set('reached', reachedTable(readRecords()))
  tables.set('ports', table(['port', 'what', 'where'], ports()))
  tables.set(
    'sources',
    table(
      ['source', 'finds', 'on by default'],
      sourceDefinitions.map(({ name, description, enabled }) => [`\`${name}\``, description, enabled ? 'yes' : 'no']),
    ),
  )
  tables.set(
    'features',
    table(
      ['feature', 'width', 'missing', 'unit', 'while its source fails'],
      features.map(({ name, width, missing, unit, needs }) => [
        `\`${name}\``,
        String(width),
        String(missing),
        unit,
        [...new Set(needs.map((need) => needFailures[need]))].join('; ') || 'always there',
      ]),
    ),
  )
  tables.set(
    'ranking spec',
    table(
      ['field', 'type', 'default', 'what'],
      describeSpec().map(({ path, type, default: standard, description }) => [
        `\`${path}\``,
        type,
        standard === 'required' ? standard : `\`${standard}\``,
        description,
      ]),
    ),
  )
  tables.set(
    'transforms',
    table(
      ['transform', 'what it makes of a number x'],
      transforms.map(({ spelling, formula }) => [`\`${spelling}\``, formula]),
    ),
  )
  tables.set(
    'serving inputs',
    table(
      ['input', 'type', 'the same for', 'feature', 'unit'],
      servingInputs.map(({ name, type, side, feature, unit }) => [
        `\`${name}\``,
        formatType(type),
        side === 'request' ? 'all candidates' : 'one candidate',
        feature === null ? '' : `\`${feature}\``,
        unit,
      ]),
    ),
  )
  tables.set(
    'metrics',
    table(
      ['metric', 'type', 'labels', 'what'],
      Object.entries(metricCatalogue).map(([name, { type, labels, help }]) => [
        `\`${name}\``,
        type,
        labels.join(', '),
        help,
      ]),
    ),
  )
  tables.set('access', table(['server', 'call', 'rule', ...Object.keys(callerKinds)], accessRows(await accessMatrix())))
  const errors = Object.entries({
    ...serviceErrorCatalogue,
    ...accessErrorCatalogue,
    ...errorCatalogue,
    ...ingestProblems,
    ...retrievalErrorCatalogue,
    ...snapshotErrorCatalogue,
    ...rankingErrorCatalogue,
    ...argumentErrorCatalogue,
    ...operationErrorCatalogue,
    ...worldErrorCatalogue,
    ...consoleErrorCatalogue,
    ...experimentErrorCatalogue,
  })
  tables.set(
    'errors',
    table(
      ['code', 'whose fault', 'retry', 'meaning'],
      errors.map(([code, { fault, retryable, meaning }]) => [`\`${code}\``, fault, retryable ? 'yes' : 'no', meaning]),
    ),
  )
  for (const app of configured)
    tables.set(`config ${app}`, table(['setting', 'environment', 'default', 'bounds', 'what'], await settings(app)))
  return tables
}

/** The READMEs by path, with their tables as the code has them. Throws unless each table has exactly one place. */
export function withTables(
  readmes: ReadonlyMap<string, string>,
  tables: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const placed: string[] = []
  const updated = [...readmes].map(([file, readme]) => {
    const text = readme.replaceAll(/<!-- table: (.+?) -->\n[\s\S]*?<!-- \/table -->/g, (_all, name: string) => {
      const made = tables.get(name)
      if (made === undefined) throw new Error(`${file} has a place for an unknown table ${JSON.stringify(name)}`)
      placed.push(name)
      return `<!-- table: ${name} -->\n${made}\n<!-- /table -->`
    })
    return [file, text] as const
  })
  const missing = [...tables.keys()].filter((name) => !placed.includes(name))
  if (missing.length > 0) throw new Error(`no README has a place for the tables ${missing.join(', ')}`)
  const doubled = placed.filter((name, at) => placed.indexOf(name) !== at)
  if (doubled.length > 0) throw new Error(`the tables ${doubled.join(', ')} have more than one place`)
  return new Map(updated)
}

/** The READMEs by path, as they are. */
export function readReadmes(): ReadonlyMap<string, string> {
  return new Map(readmeFiles.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
}

if (process.argv[1] === import.meta.filename) {
  for (const [file, text] of withTables(readReadmes(), await readmeTables())) writeFileSync(join(root, file), text)
  writeFileSync(join(root, 'test/RESULTS.md'), renderResults(readRecords()))
  writeFileSync(join(root, 'libs/ranking/LANGUAGE.md'), renderReference(transformCatalogue))
}
