import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeyRing } from '@freshet/access/key-ring'
import { parseKeyFile } from '@freshet/access/key-file'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Terminal } from '../operations/terminal.ts'
import { runKeysCreate, runKeysList, runKeysRevoke, runKeysRotate, type KeySystem } from './command.ts'

const startMs = Date.UTC(2026, 0, 31, 12)
const dayMs = 86_400_000
let file = ''
let nowMs = startMs
let [out, said] = ['', '']

const system = {
  clock: { now: () => nowMs },
  random: randomBytes,
  write: (text: string) => void (out += text),
  progress: { write: (text: string) => void (said += text) },
} as unknown as Terminal & KeySystem

beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'freshet-keys-')), 'keys.json')
  nowMs = startMs
})

/** Runs a command, and returns what it printed. */
function printed(run: () => void): string {
  out = ''
  said = ''
  run()
  return out.trim()
}

const create = (kind: string, more: object = {}): string =>
  printed(() => runKeysCreate(kind, { file, project: 'shop', ...more }, system))

/** Whether a process with the file takes a key. */
function works(key: string): boolean {
  const ring = createKeyRing(parseKeyFile(readFileSync(file, 'utf8'), file))
  try {
    ring.find(key.startsWith('fs_') ? key.slice(0, 13) : key, nowMs)
    return true
  } catch {
    return false
  }
}

describe('freshet keys', () => {
  it.each(['write', 'server', 'admin', 'internal'])(
    'creates a key of the kind %s that works, in a file of the owner',
    (kind) => {
      const key = create(kind)
      expect(works(key)).toBe(true)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(readFileSync(file, 'utf8').includes(key)).toBe(kind === 'server')
      expect(said.includes(key)).toBe(false)
    },
  )

  it('leaves a file that others read to them: it keeps its mode and its owner', () => {
    const key = create('write')
    chmodSync(file, 0o640)
    // Only root can give a file away.
    const owner = process.getuid?.() === 0 ? 1_000 : statSync(file).uid
    chownSync(file, owner, statSync(file).gid)
    // An earlier command was killed.
    writeFileSync(`${file}.new`, 'half', { mode: 0o644 })
    create('admin')
    printed(() => runKeysRevoke(key.slice(0, 13), { file }, system))
    expect([statSync(file).mode & 0o777, statSync(file).uid]).toEqual([0o640, owner])
    expect(existsSync(`${file}.new`)).toBe(false)
  })

  it('changes nothing while another command changes the file', () => {
    const key = create('write')
    const id = key.slice(0, 13)
    writeFileSync(`${file}.lock`, '')
    for (const act of [
      () => create('admin'),
      () => runKeysRevoke(id, { file }, system),
      () => runKeysRotate(id, { file, overlap: '7d' }, system),
    ])
      expect(act).toThrow(/which another command is changing; try again, or delete .*keys\.json\.lock/)
    expect([works(key), existsSync(`${file}.lock`)]).toEqual([true, true])
  })

  it('leaves no lock behind, even after a mistake', () => {
    create('write')
    expect(() => runKeysRevoke('fw_aaaaaaaaaa', { file }, system)).toThrow('there is no key')
    expect(existsSync(`${file}.lock`)).toBe(false)
  })

  it('lists keys without anything secret', () => {
    const keys = [create('write', { origin: ['https://a.example'], expires: '90d' }), create('server')]
    const list = printed(() => runKeysList({ file }, system))
    expect(list).toMatch(/^fw_\w+ +write +valid +shop +expires 2026-05-01T12:00:00.000Z https:\/\/a\.example\nfs_/)
    const json = printed(() => runKeysList({ file, json: true }, system))
    for (const key of keys) for (const text of [list, json]) expect(text.includes(key.slice(14))).toBe(false)
  })

  it('ends a key at its time', () => {
    const key = create('admin', { expires: '12h' })
    nowMs += 12 * 3_600_000 - 1
    expect(works(key)).toBe(true)
    nowMs += 1
    expect(works(key)).toBe(false)
    expect(printed(() => runKeysList({ file }, system))).toContain('expired')
  })

  it('revokes one key and no other', () => {
    const [one, other] = [create('write'), create('write')]
    printed(() => runKeysRevoke(one.slice(0, 13), { file }, system))
    expect([works(one), works(other)]).toEqual([false, true])
    expect(printed(() => runKeysList({ file }, system))).toContain('revoked')
  })

  it('rotates a key: both work for a while, then the new one alone, with the same origins', () => {
    const old = create('write', { origin: ['https://a.example'] })
    const key = printed(() => runKeysRotate(old.slice(0, 13), { file, overlap: '7d' }, system))
    expect([works(old), works(key)]).toEqual([true, true])
    nowMs += 7 * dayMs
    expect([works(old), works(key)]).toEqual([false, true])
    const { keys } = parseKeyFile(readFileSync(file, 'utf8'), file)
    expect(keys.map((each) => (each.kind === 'write' ? each.origins : null))).toEqual([
      ['https://a.example'],
      ['https://a.example'],
    ])
    expect(() => runKeysRotate(old.slice(0, 13), { file, overlap: '7d' }, system)).toThrow('is expired')
  })

  it.each([
    ['an unknown kind', () => create('root')],
    ['origins of an admin key', () => create('admin', { origin: ['https://a.example'] })],
    ['a time that is none', () => create('admin', { expires: 'soon' })],
    ['an unknown id', () => printed(() => runKeysRevoke('fw_aaaaaaaaaa', { file }, system))],
  ])('refuses %s', (_name, act) => {
    create('write')
    const before = readFileSync(file, 'utf8')
    expect(act).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }) as Error)
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('refuses an origin that is none, and keeps the file', () => {
    create('write')
    const before = readFileSync(file, 'utf8')
    expect(() => create('write', { origin: ['a.example'] })).toThrow('is not a web origin')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('refuses a file that is not a key file, and keeps it', () => {
    writeFileSync(file, '{"version":2}')
    expect(() => create('write')).toThrow(expect.objectContaining({ code: 'ACCESS_KEYS_INVALID' }) as Error)
    expect(readFileSync(file, 'utf8')).toBe('{"version":2}')
  })
})
