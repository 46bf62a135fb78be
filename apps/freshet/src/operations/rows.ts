import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { rowJson } from '@freshet/ranking/rows/row-json'
import { createRowStats, type RowStats } from '@freshet/ranking/rows/row-stats'
import { RowsError } from '@freshet/ranking/rows/rows-error'
import { readRows } from '@freshet/trainer/rows/read-rows'
import { ArgumentError } from '../arguments.ts'
import type { Terminal } from './terminal.ts'

/** The options that select rows, as text. */
export interface RowsArguments {
  readonly data?: string
  readonly folder?: string
  readonly from?: string
  readonly to?: string
}

/**
 * `freshet rows stats`: what the training rows hold. Throws ROWS_DAMAGED at the end if a file could not be read; the figures are
 * of all others.
 */
export async function runRowsStats(
  given: RowsArguments & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const counter = createRowStats()
  await eachBatch(
    given,
    terminal,
    (batch) => {
      counter.add(batch)
      return Promise.resolve()
    },
    () => {
      const stats = counter.stats()
      if (given.json === true) terminal.write(`${JSON.stringify(stats)}\n`)
      else for (const line of statsLines(stats)) terminal.write(`${line}\n`)
      return Promise.resolve()
    },
  )
}

/**
 * `freshet rows export`: the rows of shown pins as JSON lines, as `freshet train --rows` reads them. Throws ROWS_DAMAGED at
 * the end if a file could not be read; the rows of all others are written.
 */
export async function runRowsExport(
  given: RowsArguments & { readonly out?: string },
  terminal: Terminal,
): Promise<void> {
  const file = given.out === undefined ? null : await open(given.out, 'w')
  let rows = 0
  try {
    await eachBatch(
      given,
      terminal,
      async (batch) => {
        const lines: string[] = []
        for (let row = 0; row < batch.rows; row++)
          if (batch.shown[row] === 1) lines.push(`${JSON.stringify(rowJson(batch, row))}\n`)
        rows += lines.length
        if (file === null) terminal.write(lines.join(''))
        else await file.writeFile(lines.join(''))
      },
      () => {
        if (file !== null) terminal.write(`${rows} rows written to ${given.out ?? ''}\n`)
        return Promise.resolve()
      },
    )
  } finally {
    await file?.close()
  }
}

async function eachBatch(
  given: RowsArguments,
  terminal: Terminal,
  onBatch: (batch: RowBatch) => Promise<void>,
  onEnd: () => Promise<void>,
): Promise<void> {
  const [fromMs, toMs] = [timeOf('--from', given.from), timeOf('--to', given.to)]
  const damaged: RowsError[] = []
  const reading = readRows(createFolderArtefactStore(folderOf(given)), {
    ...(fromMs !== null && { fromMs }),
    ...(toMs !== null && { toMs }),
    onDamaged: (error) => damaged.push(error),
  })
  for await (const batch of reading) {
    terminal.signal.throwIfAborted()
    await onBatch(batch)
  }
  await onEnd()
  if (damaged.length > 0) throw new RowsError('ROWS_DAMAGED', damaged.map(({ message }) => message).join('; '))
}

function folderOf({ data, folder }: RowsArguments): string {
  if (data !== undefined && folder !== undefined) throw new ArgumentError('--data cannot be combined with --folder')
  const found = folder ?? join(data ?? '.freshet/data', 'artefacts')
  if (!existsSync(found))
    throw new ArgumentError(
      `there is no folder ${found}; give --data with the data folder of \`freshet dev\`, or --folder with the checkpoint folder of the trainer`,
    )
  return found
}

function timeOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new ArgumentError(`${name} is ${text}; give a time such as 2026-01-31T08:00:00Z`)
  return ms
}

function statsLines(stats: RowStats): readonly string[] {
  const { shown, unshown, corrected, users, pins, fromMs, toMs } = stats
  const time = (ms: number): string => new Date(ms).toISOString()
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
  const widest = Math.max(
    0,
    ...[...Object.keys(stats.labels), ...Object.keys(stats.missing)].map((name) => name.length),
  )
  const row = (name: string, ...cells: string[]): string => `  ${name.padEnd(widest)}  ${cells.join('  ')}`
  return [
    `${shown} rows of ${users} users and ${pins} pins, ${corrected} of them corrected by late actions; ${unshown} candidates that were not shown`,
    ...(fromMs === null || toMs === null ? [] : [`feeds from ${time(fromMs)} to ${time(toMs)}`]),
    ...(shown === 0 ? [] : ['label: rows, share of all shown rows (by weight)']),
    ...Object.entries(stats.labels).map(([name, { rows, share }]) => row(name, `${rows}`.padStart(9), percent(share))),
    ...(Object.keys(stats.missing).length === 0 ? [] : ['feature: share of rows without it']),
    ...Object.entries(stats.missing).map(([name, share]) => row(name, percent(share))),
    ...(shown === 0 ? [] : ['model: rows']),
    ...Object.entries(stats.models).map(([name, rows]) => row(name === '' ? 'none' : name, `${rows}`.padStart(9))),
  ]
}
