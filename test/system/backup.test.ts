import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { afterAll, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { consultOracle } from '../harness/oracle.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, type ServiceProcess } from '../harness/processes.ts'
import { createSentFile } from '../harness/sent-file.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'freshet-backup-'))
const at = (name: string): string => join(folder, name)
const file = createSentFile()
const [operations = 0, http = 0, feed = 0, grpc = 0] = await freePorts(4)
let running: ServiceProcess | null = null

afterAll(async () => {
  await running?.kill().catch(() => undefined)
  file.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function startDev(data: string): Promise<ServiceProcess> {
  running = createNodeProcess({
    name: 'freshet',
    arguments: ['apps/freshet/bin/freshet.js', 'dev'],
    ports: { operations, http, grpc },
    env: {
      FRESHET_DATA_FOLDER: data,
      FRESHET_SAMPLE: 'false',
      FRESHET_CONSOLE_ENABLED: 'false',
      FRESHET_INGEST_HTTP_PORT: String(http),
      FRESHET_FEED_HTTP_PORT: String(feed),
      FRESHET_GRPC_PORT: String(grpc),
      FRESHET_OPERATIONS_PORT: String(operations),
    },
  })
  await running.start()
  return running
}

interface Ran {
  readonly code: number | null
  readonly output: string
}

function freshet(...words: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'apps/freshet/bin/freshet.js'), ...words], { cwd: root })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

interface Sent {
  readonly userId: string
  readonly eventId: string
  readonly action: 'click'
  readonly pinId: string
  readonly occurredAt: string
}

let made = 0
const events: Sent[] = []

function newEvents(count: number): readonly Sent[] {
  const batch = Array.from({ length: count }, (): Sent => {
    const number = made++
    const occurredAt = new Date().toISOString()
    return { userId: `u${number % 50}`, eventId: `e${number}`, action: 'click', pinId: `p${number % 40}`, occurredAt }
  })
  events.push(...batch)
  for (const { userId, eventId } of batch) file.sent(userId, eventId)
  return batch
}

/** Posts a batch; writes down its tokens. */
async function post(batch: readonly Sent[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${http}/v1/engagements`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ engagements: batch }),
  })
  expect(response.status).toBe(202)
  for (const { userId, eventId } of batch) file.accepted(userId, eventId, 'accepted')
}

/** Log and state of a stopped folder, for the oracle. */
async function consult(data: string) {
  const environment = await openEnvironment({ folder: data, fsync: false })
  const clock = createSystemClock()
  const log = createLmdbEventLog({ environment, clock, onError: () => undefined })
  const store = createLmdbStateStore({ environment, clock })
  const close = (): Promise<void> => Promise.resolve()
  try {
    return await consultOracle({ brokers: [], redisUrl: '', keyPrefix: '', log, store, close }, file)
  } finally {
    await log.close()
    await store.close()
    await environment.close()
  }
}

describe('a data folder that was backed up under load and lost', () => {
  it('is restored as it was at the backup, fits together, and goes on without losing or doubling an event', async () => {
    const dev = await startDev(at('data'))
    await post(newEvents(500))
    const acceptedBefore = made
    let isLoading = true
    const load = (async () => {
      while (isLoading) await post(newEvents(20))
    })()
    await eventually('load', () => (made > acceptedBefore + 200 ? true : null), 20_000)
    const backup = await freshet('backup', at('backup'), '--data', at('data'))
    const madeAtTheEnd = made
    isLoading = false
    await load
    expect(backup, backup.output).toMatchObject({ code: 0 })
    await dev.kill()
    rmSync(at('data'), { recursive: true })

    const restored = await freshet('restore', at('backup'), '--data', at('data'))
    expect(restored, restored.output).toMatchObject({ code: 0 })
    expect(restored.output).toContain('log, state and models fit together')
    // Everything accepted before the backup began is in it.
    const log = Number(/engagements\.v1: (\d+) records were counted/.exec(restored.output)?.[1])
    const behind = Number(
      /engagements\.v1: \d+ partitions, the serving state is folded up to (\d+)/.exec(restored.output)?.[1] ?? 0,
    )
    expect(log + behind).toBeGreaterThanOrEqual(acceptedBefore)
    expect(log + behind).toBeLessThan(madeAtTheEnd + 100)

    // Clients send again what they are not sure of: all of it.
    const again = await startDev(at('data'))
    for (let from = 0; from < events.length; from += 500) await post(events.slice(from, from + 500))
    await eventually(
      'everything folded',
      async () => {
        const answer = await fetch(`http://127.0.0.1:${operations}/v1/progress`)
        return ((await answer.json()) as { readonly lag: number }).lag === 0 ? true : null
      },
      60_000,
      200,
    )
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await again.stop()
    const report = await consult(at('data'))
    expect(report.problems).toEqual([])
    expect(report.accepted).toBe(events.length)
    expect(report.applied).toBe(events.length)
    expect(report.repeats).toBeGreaterThanOrEqual(acceptedBefore)
    const checked = await freshet('check', '--data', at('data'))
    expect(checked, checked.output).toMatchObject({ code: 0 })
  })

  it('is not restored over other data, from an incomplete backup or from a damaged one', async () => {
    const over = await freshet('restore', at('backup'), '--data', at('data'))
    expect(over.code).toBe(78)
    expect(over.output).toContain('holds data already')

    renameSync(at('backup/backup.json'), at('manifest'))
    const incomplete = await freshet('restore', at('backup'), '--data', at('other'))
    expect(incomplete.output).toContain('BACKUP_DAMAGED')
    expect(incomplete.output).toContain('has no backup.json')
    renameSync(at('manifest'), at('backup/backup.json'))

    const manifest = readFileSync(at('backup/backup.json'), 'utf8')
    writeFileSync(at('backup/backup.json'), manifest.replace('"data.mdb"', '"../data.mdb"'))
    const outside = await freshet('restore', at('backup'), '--data', at('other'))
    expect(outside.output).toContain('names ../data.mdb, which is outside of the backup')
    writeFileSync(at('backup/backup.json'), manifest)

    const bytes = readFileSync(at('backup/data.mdb'))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(at('backup/data.mdb'), bytes)
    const damaged = await freshet('restore', at('backup'), '--data', at('other'))
    expect(damaged.code).toBe(1)
    expect(damaged.output).toContain('data.mdb has other bytes than when it was written')
    expect(existsSync(at('other'))).toBe(false)
  })
})
