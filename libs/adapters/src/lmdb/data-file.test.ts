import { spawnSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aTopic } from '../suites/event-log.builders.ts'
import { createSystemClock } from '../system/clock.ts'
import { copyDataFile } from './copy-data-file.ts'
import { openEnvironment } from './environment.ts'
import { createLmdbEventLog } from './event-log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-file-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const file = () => join(folder, 'data.mdb')

/** Writes some records of 100 kB; returns how many were accepted, and the codes of the others. */
async function append(where: string, records: number) {
  const environment = await openEnvironment({ folder: where })
  const log = createLmdbEventLog({ environment, clock: createSystemClock() })
  const topic = aTopic({ name: 't', partitions: 1, maxRecordBytes: 1 << 20 })
  await log.applyTopics([topic])
  const one = async (i: number): Promise<string> =>
    log.append('t', [{ key: `k${i}`, value: Buffer.alloc(100_000, i), partition: null }]).then(
      () => 'taken',
      (error: unknown) => (error as { code: string }).code,
    )
  const outcomes: string[] = []
  for (let i = 0; i < records; i++) outcomes.push(await one(i))
  return {
    outcomes,
    one,
    problem: environment.problem,
    end: async () => (await log.ends('t'))[0],
    async close() {
      await log.close()
      await environment.close()
    },
  }
}

describe('A3 · a damaged data file', () => {
  const opening = (probe: boolean) => openEnvironment({ folder, probe }).then((opened) => opened.close())

  it.each([
    ['cut in half', () => truncateSync(file(), Math.floor(statSync(file()).size / 8192) * 4096)],
    ['cut within its first page', () => truncateSync(file(), 100)],
    ['cut after its first page', () => truncateSync(file(), 4096)],
    ['other bytes', () => writeFileSync(file(), Buffer.alloc(100_000, 'x'))],
  ])('A3: is one clear error where it is %s, whoever opens it', async (_what, damage) => {
    await (await append(folder, 20)).close()
    damage()
    for (const probe of [false, true])
      await expect(opening(probe)).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
        message: expect.stringMatching(/data\.mdb is damaged or cut off \(.*\); restore a copy of it/) as string,
      })
  })

  it('A3: is one clear error for who copies it', async () => {
    await (await append(folder, 20)).close()
    truncateSync(file(), 4096)
    const copy = mkdtempSync(join(tmpdir(), 'freshet-copy-'))
    try {
      await expect(copyDataFile(folder, copy)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    } finally {
      rmSync(copy, { recursive: true })
    }
  })

  it('A3: gives one clear error for garbage pages in the middle, if the file is read first', async () => {
    await (await append(folder, 20)).close()
    const descriptor = openSync(file(), 'r+')
    writeSync(descriptor, Buffer.alloc(statSync(file()).size - 3 * 4096, 0xa5), 0, undefined, 3 * 4096)
    closeSync(descriptor)
    await expect(opening(true)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })

  it('A3: opens an intact file, a new one and an empty one', async () => {
    await opening(true)
    await (await append(folder, 5)).close()
    await opening(true)
    const copy = mkdtempSync(join(tmpdir(), 'freshet-copy-'))
    copyFileSync(file(), join(copy, 'data.mdb'))
    truncateSync(join(copy, 'data.mdb'), 0)
    await (await openEnvironment({ folder: copy, probe: true })).close()
    rmSync(copy, { recursive: true })
  })
})

const small = mkdtempSync(join(tmpdir(), 'freshet-small-'))
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small]).status === 0
afterAll(() => {
  if (isMounted) spawnSync('umount', [small])
  rmSync(small, { recursive: true, force: true })
})

describe.skipIf(!isMounted)('A3 · a full disk (skipped where no tmpfs can be mounted)', () => {
  it('A3: refuses with LOG_FULL, keeps the process alive, and continues by itself when there is room', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    const data = join(small, 'data')
    const log = await append(data, 10)
    expect(new Set(log.outcomes)).toEqual(new Set(['taken']))
    writeFileSync(join(small, 'filler'), Buffer.alloc(5 << 20))
    const whileFull: string[] = []
    for (let i = 0; i < 40; i++) whileFull.push(await log.one(i))
    expect(whileFull.at(-1)).toBe('LOG_FULL')
    expect(log.problem()).toContain('has no room')
    const taken = 10 + whileFull.filter((outcome) => outcome === 'taken').length
    rmSync(join(small, 'filler'))
    expect(await log.one(99)).toBe('taken')
    expect(log.problem()).toBeNull()
    expect(await log.end()).toBe(taken + 1)
    await log.close()
    // Node reports an unhandled rejection once the microtasks of its turn have run: two turns are enough.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
    const again = await append(data, 0)
    expect(await again.end()).toBe(taken + 1)
    await again.close()
  })
})
