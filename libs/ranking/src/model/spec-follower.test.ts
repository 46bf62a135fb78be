import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '@freshet/domain/clock'
import { chooseBackend } from '../tensor/backend.ts'
import { openModelSlot, type ModelSlot } from './slot.ts'
import { specFileSource } from './spec-file.ts'
import { createSpecFollower, type SpecFollower } from './spec-follower.ts'
import { biasedSpecText } from './testing.ts'

const never: Clock = { now: () => 0, sleep: () => new Promise(() => undefined) }

describe('spec follower', () => {
  let folder = ''
  let file = ''
  let models: ModelSlot
  let follower: SpecFollower
  let errors: Error[]
  let swapped: string[]

  const version = (): string => models.use((model) => model.version)
  const write = (text: string) => writeFile(file, text)

  beforeAll(() => chooseBackend('wasm'))
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'freshet-spec-'))
    file = join(folder, 'spec.json')
    await write(biasedSpecText('one', 0))
    models = await openModelSlot(specFileSource(file))
    errors = []
    swapped = []
    follower = createSpecFollower({
      models,
      file,
      everyMs: 1000,
      clock: never,
      onRefused: (error) => errors.push(error),
      onSwapped: ({ version: name }) => swapped.push(name),
    })
  })
  afterEach(async () => {
    await models.close()
    await rm(folder, { recursive: true })
  })

  it('serves a changed file, and swaps nothing while the file is the same', async () => {
    await follower.look()
    await follower.look()
    expect([version(), models.stats()]).toEqual(['one', { swapped: 0, refused: 0 }])
    await write(biasedSpecText('two', 1))
    await follower.look()
    await follower.look()
    expect([version(), swapped, models.stats()]).toEqual(['two', ['two'], { swapped: 1, refused: 0 }])
  })

  it('follows a link that changes to another file, as Kubernetes does for a ConfigMap', async () => {
    await follower.look()
    const next = join(folder, 'next.json')
    await writeFile(next, biasedSpecText('linked', 1))
    await symlink(next, join(folder, 'link'))
    await rename(join(folder, 'link'), file)
    await follower.look()
    expect(version()).toBe('linked')
  })

  it('rejects a broken spec once, warns until the file is fixed, and serves the old model until then', async () => {
    await follower.look()
    const whole = biasedSpecText('two', 1)
    await write(whole.slice(0, 40))
    for (let looks = 0; looks < 3; looks++) await follower.look()
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code: 'RANKING_SPEC_INVALID' })
    expect(errors[0]?.message).toContain(file)
    expect(follower.refusal()).toMatch(/^the model one continues to serve: the ranking spec .* not JSON/s)
    expect(version()).toBe('one')
    await write(whole)
    await follower.look()
    expect([version(), follower.refusal()]).toEqual(['two', null])
  })

  it('reports a missing file, and continues when the same file is back', async () => {
    await follower.look()
    await rm(file)
    await follower.look()
    await follower.look()
    expect(errors.map((error) => (error as Error & { code?: string }).code)).toEqual(['RANKING_SPEC_UNREADABLE'])
    expect(follower.refusal()).toMatch(/cannot be read .*check ranking\.specFile/)
    await write(biasedSpecText('one', 0))
    await follower.look()
    expect([version(), follower.refusal(), swapped]).toEqual(['one', null, []])
  })

  it('checks the file after every pause until it is stopped', async () => {
    const stopping = new AbortController()
    const pauses: (() => void)[] = []
    const clock: Clock = {
      now: () => 0,
      sleep: (_ms, signal) =>
        new Promise((resolve, reject) => {
          pauses.push(resolve)
          signal?.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    }
    const running = createSpecFollower({ models, file, everyMs: 1000, clock, onRefused: (error) => errors.push(error) })
    const run = running.run(stopping.signal)
    await expect.poll(() => pauses.length).toBe(1)
    await write(biasedSpecText('two', 1))
    pauses[0]!()
    await expect.poll(version).toBe('two')
    await expect.poll(() => pauses.length).toBe(2)
    stopping.abort()
    await run
    expect(errors).toEqual([])
  })
})
