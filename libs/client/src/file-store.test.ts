import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createFileStore } from './file-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-client-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let files = 0
const aFile = (): string => join(folder, `new/${files++}.jsonl`)
const entry = (id: string, json = '{}') => ({ id, user: 'u', at: 1, json })
const open = (file: string, errors: string[] = []) => createFileStore(file, (error) => errors.push(error.message))
const idsOf = async (store: ReturnType<typeof open>) => (await store.first(1e6)).map(({ id }) => id)

describe('the file', () => {
  it('gives back what was added, marked and not removed, in order', async () => {
    const file = aFile()
    const store = open(file)
    await Promise.all([store.put([entry('a'), entry('b')]), store.put([entry('c')])])
    const [, b] = await store.first(10)
    await store.put([{ ...b!, ending: 'too old' }])
    await store.remove([1])
    await store.close()
    const again = open(file)
    expect((await again.first(10)).map(({ id, ending }) => [id, ending])).toEqual([
      ['b', 'too old'],
      ['c', undefined],
    ])
    await again.put([entry('d')])
    expect(await idsOf(again)).toEqual(['b', 'c', 'd'])
    await again.close()
  })

  it('of a process that was killed while it wrote loses only the unfinished line', async () => {
    const file = aFile()
    const store = open(file)
    await store.put([entry('a')])
    await store.close()
    appendFileSync(file, '{"id":"b","user":"u","at":1,"js')
    const again = open(file)
    expect(await idsOf(again)).toEqual(['a'])
    await again.put([entry('c')])
    await again.close()
    const last = open(file)
    expect(await idsOf(last)).toEqual(['a', 'c'])
    await last.close()
  })

  it('that is damaged inside gives what can be read, and says so', async () => {
    const file = aFile()
    const store = open(file)
    await store.put([entry('a')])
    await store.put([entry('b')])
    await store.close()
    writeFileSync(file, readFileSync(file, 'utf8').replace('{', 'x'))
    const errors: string[] = []
    const again = open(file, errors)
    expect(await idsOf(again)).toEqual(['b'])
    expect(errors.join()).toContain('1 damaged lines')
    await again.close()
  })

  it('belongs to one process, and to the next one when that was killed', async () => {
    const file = aFile()
    const store = open(file)
    expect(() => open(file)).toThrow(/in use by process \d+; give each process a file of its own/)
    await store.close()
    // A process that no longer exists.
    writeFileSync(`${file}.lock`, '999999999')
    await open(file).close()
  })

  it.each([
    ['of another process that got the number of the killed one', { pid: process.ppid, began: '1' }, '', true],
    ['of this process, whose number a killed one had', { pid: process.pid, began: '1' }, '', true],
    ['of a process that is gone', { pid: 999_999_999, began: '1' }, '', true],
    ['of a process on another host', { pid: 999_999_999, host: 'another', began: '1' }, ' on another', false],
    ['of a living process', { pid: process.ppid }, '', false],
  ])('with the lock %s', async (_, owner, where, isFree) => {
    const file = aFile()
    await open(file).close()
    writeFileSync(`${file}.lock`, JSON.stringify({ host: hostname(), ...owner }))
    if (isFree) await open(file).close()
    else expect(() => open(file)).toThrow(`in use by process ${owner.pid}${where};`)
    expect(existsSync(`${file}.lock`)).toBe(!isFree)
    expect(readdirSync(dirname(file)).filter((name) => /lock\../.test(name))).toEqual([])
  })

  it('belongs to one client of a process, also when the SDK was loaded twice', async () => {
    const file = aFile()
    const store = open(file)
    vi.resetModules()
    const other = await import('./file-store.ts')
    expect(other.createFileStore).not.toBe(createFileStore)
    expect(() => other.createFileStore(file, () => undefined)).toThrow('in use by process')
    await store.close()
  })

  it('does not grow with what was sent', async () => {
    const file = aFile()
    const store = open(file)
    const big = 'x'.repeat(10_000)
    await store.put([entry('kept')])
    for (let i = 0; i < 400; i++) {
      await store.put([entry(`e${i}`, big)])
      await store.remove([i + 2])
    }
    expect(statSync(file).size).toBeLessThan(1.2e6)
    expect(await idsOf(store)).toEqual(['kept'])
    await store.close()
  })
})
