/**
 * What is recommended on invented data of many shapes, to see that one set of defaults holds: the merge, each source and
 * plain references, with knowledge brought up to date with every event and at marks.
 *
 *   node test/quality/synthetic.ts [--only NAME,…] [--every N] [--refresh event|mark|both] [--ask LIST]
 *
 * Ends with exit code 1 where the merge is below .995 of its best source or of the best reference, by HR@20; of few
 * questions (`--every`) chance alone can do that.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import { readArguments } from '../harness/arguments.ts'
import { askReferences } from './ask-references.ts'
import { writeRecording } from './convert.ts'
import { runFreshet } from './freshet.ts'
import { inventedSets, type InventedSet } from './shapes.ts'

interface Report {
  readonly ask?: string
  readonly questions: number
  readonly eventsPerSecond: number
  readonly metrics: Readonly<Record<string, number>>
}

const atLeast = 0.995

const values = readArguments(
  'node test/quality/synthetic.ts',
  {
    only: { type: 'string' },
    every: { type: 'string', default: '10' },
    refresh: { type: 'string', default: 'both' },
    ask: {
      type: 'string',
      default: ['candidates', ...sourceDefinitions.map(({ name }) => `source:${name}`)].join(','),
    },
  },
  { only: 'NAMES', every: 'N', refresh: 'WHEN', ask: 'LIST' },
)
const wanted = values.only?.split(',') ?? Object.keys(inventedSets)
const scratch = mkdtempSync(join(tmpdir(), 'freshet-synthetic-'))
for (const [name, set] of Object.entries(inventedSets)) {
  if (!wanted.includes(name)) continue
  for (const refresh of ['event', 'mark'] as const)
    if (values.refresh === 'both' || values.refresh === refresh) await compare(name, set, refresh)
}
rmSync(scratch, { recursive: true })

async function compare(name: string, set: InventedSet, refresh: 'event' | 'mark'): Promise<void> {
  const file = join(scratch, 'recording.jsonl')
  await writeRecording(set.lines(), file)
  const asked = ['evaluate', file, '--ask', values.ask, '--repeats', set.repeats, '--every', values.every, '--json']
  const reports = (await runFreshet([...asked, '--refresh', refresh]))
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Report)
  const references = askReferences(set.lines(), { refresh, repeats: set.repeats, every: Number(values.every) })
  const rows = [
    ...reports.map(({ ask = values.ask, metrics }) => ({ row: ask, metrics })),
    ...[...references].map(([row, metrics]) => ({ row: `= ${row}`, metrics })),
  ].filter(({ metrics }) => (metrics['hr@20'] ?? 0) > 0)
  const merged = rows.find(({ row }) => row === 'candidates')?.metrics['hr@20'] ?? 0
  const best = Math.max(...rows.filter(({ row }) => row !== 'candidates').map(({ metrics }) => metrics['hr@20'] ?? 0))
  const isGood = merged >= atLeast * best
  if (!isGood) process.exitCode = 1
  console.log(
    `${name}, learned with every ${refresh}: ${reports[0]?.questions ?? 0} questions, ${Math.round(reports[0]?.eventsPerSecond ?? 0)} events/s; the merge is at ${(merged / best).toFixed(3)} of the best${isGood ? '' : ' !'}`,
  )
  for (const { row, metrics } of rows)
    console.log(`  ${row.padEnd(46)}${['hr@10', 'hr@20', 'mrr@20'].map((figure) => cell(figure, metrics)).join('  ')}`)
}

function cell(figure: string, metrics: Readonly<Record<string, number>>): string {
  return `${figure.toUpperCase()} ${((metrics[figure] ?? 0) * 100).toFixed(1).padStart(5)}`
}
