import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { rowBatchOf } from '@freshet/ranking/rows/rows.fixture'
import { openRowSegments } from '@freshet/trainer/rows/row-segments'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runRowsExport, runRowsStats } from './rows.ts'

let data: string
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'freshet-rows-'))
  const files = createFolderArtefactStore(join(data, 'artefacts'))
  const segments = await openRowSegments(files, 0, { maxRows: 100, maxAgeMs: Infinity })
  const rows = [
    { feedId: 'f', pinId: 'a', atMs: 1_000 },
    { feedId: 'f', pinId: 'z', atMs: 1_000, shown: false },
  ]
  await segments.append(rowBatchOf(rows), 0)
  await segments.append(rowBatchOf([{ feedId: 'g', pinId: 'b', atMs: 2_000, click: true }]), 0)
})
afterEach(() => rmSync(data, { recursive: true }))

function terminal() {
  const written: string[] = []
  return {
    written,
    write: (text: string) => void written.push(text),
    progress: { write: () => true },
    nowMs: () => 0,
    signal: new AbortController().signal,
  }
}

async function damageFirst(): Promise<string> {
  const files = createFolderArtefactStore(join(data, 'artefacts'))
  const [first = ''] = await files.list('trainer/rows/')
  await files.put(first, (await files.get(first)).slice(0, 50))
  return first
}

describe('freshet rows', () => {
  it('stats counts rows, labels and missing features', async () => {
    const out = terminal()
    await runRowsStats({ data, json: true }, out)
    expect(JSON.parse(out.written.join(''))).toMatchObject({
      shown: 2,
      unshown: 1,
      fromMs: 1_000,
      toMs: 2_000,
      labels: { click: { rows: 1, share: 0.5 } },
      missing: { age: 0 },
    })
    const text = terminal()
    await runRowsStats({ folder: join(data, 'artefacts') }, text)
    expect(text.written[0]).toContain('2 rows of 2 users and 2 pins')
    expect(text.written).toContainEqual(expect.stringMatching(/click +1 {2}50\.00 %/))
  })

  it('export writes shown rows as training reads them, to a file too', async () => {
    const out = terminal()
    await runRowsExport({ data, from: '1970-01-01T00:00:02Z' }, out)
    expect(out.written.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { labels: { click: 1 }, values: { pin: 'b', age: 1 }, weight: 1 },
    ])
    const file = join(data, 'rows.jsonl')
    const toFile = terminal()
    await runRowsExport({ data, out: file }, toFile)
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3)
    expect(toFile.written).toEqual([`2 rows written to ${file}\n`])
  })

  it('reports a damaged file by name, and uses the rest', async () => {
    const first = await damageFirst()
    const out = terminal()
    const failing = runRowsExport({ data }, out)
    await expect(failing).rejects.toMatchObject({
      code: 'ROWS_DAMAGED',
      message: expect.stringContaining(first) as string,
    })
    expect(out.written.join('')).toContain('"pin":"b"')
  })

  it.each([
    [{ folder: '/nowhere' }, 'there is no folder /nowhere'],
    [{ data: 'a', folder: 'b' }, '--data cannot be combined with --folder'],
    [{ from: 'today' }, '--from is today'],
  ])('refuses %o', async (given, message) => {
    await expect(runRowsStats({ ...given }, terminal())).rejects.toThrow(message)
  })
})
