import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readSampleMark, writeSampleMark } from '../dev/fill.ts'
import { openFolder, withOpen } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import { runBackup } from './backup.ts'
import { runRestore } from './restore.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-backup-unit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)

const { signal } = new AbortController()
const progress = { write: () => true, isTTY: false }
const terminal = { write: () => undefined, progress, nowMs: () => 0, signal } as unknown as Terminal

it('keeps artefacts and the mark of the sample, and restores only into a folder without data', async () => {
  await withOpen(openFolder({ data: at('data') }, 2), async ({ log }) => {
    await log.append('engagements.v1', [{ key: 'ann', value: new Uint8Array([1]), partition: 0 }])
  })
  mkdirSync(at('data/artefacts/views'), { recursive: true })
  writeFileSync(at('data/artefacts/views/1'), 'a snapshot')
  writeSampleMark(at('data'), 'complete')
  await runBackup(at('backup'), { data: at('data') }, terminal, { now: () => 0 })
  await runRestore(at('backup'), { data: at('again') }, terminal)
  expect(readFileSync(at('again/artefacts/views/1'), 'utf8')).toBe('a snapshot')
  expect(readSampleMark(at('again'))).toBe('complete')

  for (const name of ['again', 'left'] as const) {
    mkdirSync(at('left/artefacts'), { recursive: true })
    await expect(runRestore(at('backup'), { data: at(name) }, terminal)).rejects.toThrow('holds data already')
  }
})
