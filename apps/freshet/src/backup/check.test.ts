import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePartitionMeta, newPartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { StateCommit, StateStore } from '@freshet/contracts/ports/state-store'
import { afterEach, describe, expect, it } from 'vitest'
import { runLogAdopt } from '../operations/adopt.ts'
import { openFolder, withOpen, type OpenFolder } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import { checkFamily } from './check-family.ts'
import { runCheck } from './check.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const partition = 0

function commitOf(next: number, applied: number): StateCommit {
  const counts = { ...newPartitionMeta.counts, applied }
  const meta = encodePartitionMeta({ ...newPartitionMeta, counts })
  return { scope: 'user.1', partition, from: 0, next, puts: [], appends: [], deletes: [], meta, remember: [] }
}

/** A folder whose log has three engagements in partition 0, prepared further by `prepare`. */
async function folderWith(prepare: (open: OpenFolder, folder: string) => Promise<unknown>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-check-'))
  folders.push(folder)
  await withOpen(openFolder({ data: folder }, 2), async (open) => {
    const record = { key: 'ann', value: new Uint8Array([1]), partition }
    await open.log.append('engagements.v1', [record, record, record])
    await prepare(open, folder)
  })
  return folder
}

function terminalWith(write: (text: string) => void): Terminal {
  const { signal } = new AbortController()
  return { write, progress: { write: () => true, isTTY: false }, nowMs: () => 0, signal }
}

async function check(folder: string): Promise<{ readonly output: string; readonly error: string }> {
  let output = ''
  const terminal = terminalWith((text) => void (output += text))
  const error = await runCheck({ data: folder }, terminal).then(
    () => '',
    (failure: unknown) => {
      const { code, message } = failure as { readonly code: string; readonly message: string }
      return `${code}: ${message}`
    },
  )
  return { output, error }
}

describe('freshet check', () => {
  it('accepts a state that is behind the log, and says how far', async () => {
    const { output, error } = await check(await folderWith(({ store }) => store.commit(commitOf(2, 2))))
    expect(error).toBe('')
    expect(output).toContain('folded up to 1 positions before the end')
    expect(output).toContain('2 records were counted')
  })

  it('refuses a state that is ahead of its log, and names the command that mends it', async () => {
    const { error } = await check(await folderWith(({ store }) => store.commit(commitOf(9, 9))))
    expect(error).toMatch(/^CHECK_FAILED: /)
    expect(error).toContain('engagements.v1/0: the state is folded up to 9, but the log ends at 3')
    expect(error).toContain('freshet log adopt')
  })

  it('accepts a log that was adopted and that no feature-updater has folded yet', async () => {
    const folder = await folderWith(({ store }) => store.commit(commitOf(9, 9)))
    await runLogAdopt(
      { data: folder },
      terminalWith(() => undefined),
      {},
    )
    const { output, error } = await check(folder)
    expect(error).toBe('')
    expect(output).toContain('folded up to 3 positions before the end')
  })

  it('does not take what is folded during the check for a state that is ahead of its log', async () => {
    let problems: readonly string[] = ['not checked']
    await folderWith(async ({ log, store, clock }) => {
      const busy: StateStore = {
        ...store,
        async readForFold(query, call) {
          if (query.partition === partition) {
            await log.append('engagements.v1', [{ key: 'ann', value: new Uint8Array([1]), partition }])
            await store.commit(commitOf(4, 4))
          }
          return store.readForFold(query, call)
        },
      }
      const { signal } = new AbortController()
      const at = { log, store: busy, clock, signal, onError: () => undefined }
      problems = (await checkFamily(at, 'user', true)).problems
    })
    expect(problems).toEqual([])
  })

  it.each([
    ['lost', 2],
    ['doubled', 4],
  ])('finds a record that was %s by the counts of the commits', async (_what, applied) => {
    const { error } = await check(await folderWith(({ store }) => store.commit(commitOf(3, applied))))
    expect(error).toContain(`the commits counted ${applied} records, the log holds 3 below position 3`)
  })

  it('compares the artefacts of models with the digests of the registry', async () => {
    const bytes = new Uint8Array([1, 2, 3])
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const record = {
      surface: 'home',
      version: 'home-1',
      stage: 'serving',
      share: 0,
      reason: '',
      atMs: 1,
      sha256,
      planHash: 'plan',
      parentVersion: null,
      trainedAtMs: 1,
      trainingRows: 1,
      results: [],
    } as const
    const folder = await folderWith(async ({ log }, at) => {
      await log.append('models.v1', [encodeModelRecord(record)])
      mkdirSync(join(at, 'artefacts/models/home'), { recursive: true })
      writeFileSync(join(at, 'artefacts/models/home/home-1.model'), bytes)
    })
    expect(await check(folder)).toMatchObject({
      error: '',
      output: expect.stringContaining('models: 1 artefacts') as string,
    })
    writeFileSync(join(folder, 'artefacts/models/home/home-1.model'), new Uint8Array([9]))
    expect((await check(folder)).error).toContain('models/home/home-1.model has the digest')
    rmSync(join(folder, 'artefacts/models/home/home-1.model'))
    expect((await check(folder)).error).toContain('the artefact models/home/home-1.model is missing (serving)')
  })
})
