import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { topicLayouts } from '@freshet/contracts/topics'
import type { Action } from '@freshet/domain/engagement'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { rowJson } from '@freshet/ranking/rows/row-json'
import { actRecord, feedRecord } from '@freshet/trainer/joiner/served.fixture'
import { readRows } from '@freshet/trainer/rows/read-rows'
import { afterAll, expect, it } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'freshet-joiner-'))
afterAll(() => rmSync(root, { recursive: true }))

const startMs = Date.UTC(2026, 0, 1)
const minuteMs = 60_000
const feeds = 800

/** A data folder with served feeds of 40 users over two hours, and what the users did, some of it late. Resolves to the time after it. */
async function fillFolder(folder: string): Promise<number> {
  const clock = createVirtualClock(startMs)
  const environment = await openEnvironment({ folder, fsync: false })
  const log = createLmdbEventLog({ environment, clock, compactEveryMs: null })
  await log.applyTopics(topicLayouts(4))
  const random = mulberry32(7)
  const below = (count: number): number => Math.floor(random() * count)
  const actions: readonly Action[] = ['impression', 'impression', 'click', 'save', 'hide']
  const later: { readonly atMs: number; readonly record: ReturnType<typeof actRecord> }[] = []
  for (let at = 0; at < feeds; at++) {
    await clock.advance(9_000)
    const [feedId, userId, atMs] = [`f${at}`, `u${below(40)}`, clock.now()]
    const pinIds = Array.from({ length: 8 }, (_, pin) => `p${(at * 3 + pin) % 200}`)
    await log.append('feeds-served.v1', [feedRecord({ feedId, userId, atMs, pinIds, unshownIds: ['z1', 'z2'] })])
    for (let left = below(5); left > 0; left--) {
      const actAtMs = atMs + below(40 * minuteMs)
      const named = random() < 0.7 ? { feedId } : {}
      const act = { userId, pinId: pinIds[below(8)]!, action: actions[below(5)]!, atMs: actAtMs, ...named }
      later.push({ atMs: actAtMs + below(2) * below(30 * minuteMs), record: actRecord(act) })
    }
    const due = later.filter(({ atMs: dueMs }) => dueMs <= clock.now())
    later.splice(0, later.length, ...later.filter(({ atMs: dueMs }) => dueMs > clock.now()))
    if (due.length > 0)
      await log.append(
        'engagements.v1',
        due.map(({ record }) => record),
      )
  }
  await clock.advance(120 * minuteMs)
  await log.append(
    'engagements.v1',
    later.map(({ record }) => record),
  )
  await log.close()
  await environment.close()
  return clock.now() + 24 * 60 * minuteMs
}

interface Ended {
  readonly puts: readonly string[]
  /** null: it was killed. */
  readonly counts: Readonly<Record<string, unknown>> | null
}

/** Runs a joiner; kills it with SIGKILL at its nth file. */
function runJoiner(folder: string, nowMs: number, killAtPut = Infinity): Promise<Ended> {
  const program = join(import.meta.dirname, 'joiner/run.ts')
  const child = spawn(process.execPath, [program, folder, String(nowMs)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const puts: string[] = []
  let counts: Ended['counts'] = null
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('counts ')) counts = JSON.parse(line.slice('counts '.length)) as Record<string, unknown>
    else if (puts.push(line) === killAtPut) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve({ puts, counts }))
  })
}

async function rowsIn(folder: string): Promise<readonly string[]> {
  const rows: string[] = []
  const files = createFolderArtefactStore(`${folder}/artefacts`)
  for await (const batch of readRows(files, { everyRevision: true })) {
    for (let row = 0; row < batch.rows; row++) {
      const { labels, values, weight } = rowJson(batch, row)
      rows.push(JSON.stringify([batch.feedIds[row], batch.pinIds[row], batch.revision[row], labels, values, weight]))
    }
  }
  return rows.sort()
}

it('a joiner that is killed with -9 again and again writes the same rows as one that is not', async () => {
  const [filled, calm, stormy] = ['filled', 'calm', 'stormy'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  const nowMs = await fillFolder(filled)
  cpSync(filled, calm, { recursive: true })
  cpSync(filled, stormy, { recursive: true })
  const undisturbed = await runJoiner(calm, nowMs)
  const kills = [1, 2, 4, 7, 11, 16]
  for (const killAtPut of kills) expect((await runJoiner(stormy, nowMs, killAtPut)).counts).toBeNull()
  const last = await runJoiner(stormy, nowMs)
  const rows = await rowsIn(calm)
  expect(rows.length).toBeGreaterThan(feeds * 4)
  expect(new Set(rows).size).toBe(rows.length)
  expect(await rowsIn(stormy)).toEqual(rows)
  for (const name of [
    'positions',
    'rows',
    'corrections',
    'unshown',
    'dropped',
    'engagements',
    'matched',
    'late',
    'unmatched',
  ])
    expect(last.counts?.[name], name).toEqual(undisturbed.counts?.[name])
  expect(undisturbed.counts).toMatchObject({ positions: feeds * 8 })
  expect(undisturbed.counts?.['late']).toBeGreaterThan(20)
  expect(undisturbed.puts.some((name) => name.includes('/spill/'))).toBe(true)
})
