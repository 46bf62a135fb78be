import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readTexts, type Watched } from './watched-texts.ts'

let close = (): void => undefined
afterEach(() => close())

/** A watched file. `check` lets the watch look at it once. */
async function aFile() {
  const path = join(mkdtempSync(join(tmpdir(), 'freshet-texts-')), 'file')
  writeFileSync(path, 'old')
  let failure: string | null = null
  const errors: unknown[] = []
  let wake = (): void => undefined
  let asleep = (): void => undefined
  const clock = {
    now: () => 0,
    sleep: () =>
      new Promise<void>((resolve) => {
        wake = resolve
        asleep()
      }),
  }
  const watched: Watched<string | null> = await readTexts({
    files: { file: path },
    read: ({ file }) => {
      if (failure !== null) throw new Error(failure)
      return file
    },
    clock,
    intervalMs: 1,
    onError: (error) => errors.push(error),
  })
  close = watched.close
  const check = async (): Promise<void> => {
    const slept = new Promise<void>((resolve) => (asleep = resolve))
    wake()
    await slept
  }
  return { path, watched, errors, check, setFailure: (text: string | null) => (failure = text) }
}

describe('watched files', () => {
  it('are read again after a failure that passes, although they do not change again', async () => {
    const { path, watched, errors, check, setFailure } = await aFile()
    writeFileSync(path, 'newer')
    setFailure('too many open files')
    for (let i = 0; i < 3; i++) await check()
    expect([watched.current(), watched.problem(), errors.length]).toEqual(['old', 'too many open files', 1])
    setFailure(null)
    await check()
    expect([watched.current(), watched.problem()]).toEqual(['newer', null])
  })
})
