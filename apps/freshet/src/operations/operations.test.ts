import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { isContractError } from '@freshet/contracts/errors'
import { partitionOf } from '@freshet/domain/partition'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { servingGeneration } from '@freshet/feature-updater/generations'
import { anEngagement, aRecord, noonMs } from '@freshet/feature-updater/testing'
import { createUpdater } from '@freshet/feature-updater/updater'
import { asId, type UserId } from '@freshet/domain/ids'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeFailure } from '../failure.ts'
import { runLogAdopt } from './adopt.ts'
import { runDlqList, runDlqReplay, runDlqShow } from './dead-letters.ts'
import { runUsersErase } from './erase-user.ts'
import { openFolder, openPlatform, withOpen, type OpenPlatform } from './platform.ts'
import { runDlqResume } from './resume.ts'
import { runRebuild, type RebuildArguments } from './rebuild.ts'
import { runReplay } from './replay.ts'
import type { Terminal } from './terminal.ts'

const partitions = 4
let data: string
let written: string

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'freshet-operations-'))
  written = ''
  await (await openFolder({ data }, partitions)).close()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

function aTerminal(signal = new AbortController().signal): Terminal {
  return {
    write: (text) => (written += text),
    progress: { write: () => true },
    nowMs: () => 0,
    signal,
  }
}

const opened = <T>(work: (platform: OpenPlatform) => Promise<T>): Promise<T> => withOpen(openFolder({ data }), work)

/** Lets an updater fold all that the folder holds. */
const fold = (): Promise<void> =>
  opened(async ({ log, store, clock }) => {
    const updater = createUpdater({ log, store, clock, config: updaterConfigOf({ updater: { canaryEveryMs: 0 } }) })
    await updater.start()
    while ((await updater.lag()) > 0) await clock.sleep(5)
    await updater.stop()
  })

const append = (topic: string, ...records: readonly ReturnType<typeof aRecord>[]): Promise<unknown> =>
  opened(({ log }) => log.append(topic, records))

const ends = (topic: string): Promise<number> =>
  opened(async ({ log }) => (await log.ends(topic)).reduce((sum, end) => sum + end, 0))

const stored = (scope: string, userId: string): Promise<Uint8Array | null> =>
  opened(async ({ store }) => (await store.read(scope, partitionOf(userId, partitions), [userId])).values[0] ?? null)

function aLetter(
  value: Uint8Array,
  sourcePosition: number,
  sourceTopic = 'engagements.v1',
): ReturnType<typeof aRecord> {
  const letter = {
    sourceTopic,
    sourcePartition: 0,
    sourcePosition,
    key: 'u',
    value,
    code: 'CODEC_INVALID',
    message: 'action has the unknown number 15',
    schema: 'freshet.engagement.v1.Engagement',
    atMs: noonMs,
  }
  return { key: 'u', value: encodeDeadLetter(letter), partition: null }
}

describe('freshet dlq', () => {
  const place = (): string => `${partitionOf('u', partitions)}/0`

  beforeEach(async () => {
    await append('dead-letters.v1', aLetter(encodeEngagement(anEngagement(), 0), 7), aLetter(Uint8Array.of(255), 8))
  })

  it('lists dead letters with their place, source and error', async () => {
    await runDlqList({ data }, aTerminal())
    expect(written).toContain(place())
    expect(written).toContain('engagements.v1/0@7')
    expect(written).toMatch(/2 dead letters\n$/)
  })

  it('lists the selected ones, also as JSON', async () => {
    await runDlqList({ data, topic: 'pins.v1', json: true }, aTerminal())
    expect(written).toBe('')
    await runDlqList({ data, since: new Date(noonMs).toISOString(), json: true }, aTerminal())
    expect(
      written
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { sourcePosition: number }).sourcePosition),
    ).toEqual([7, 8])
  })

  it('shows one with its decoded value', async () => {
    await runDlqShow(place(), { data }, aTerminal())
    expect(written).toMatch(/decoded +\{.*"action":"click"/)
    await expect(runDlqShow('3/999', { data }, aTerminal())).rejects.toThrow(/no dead letter at 3\/999/)
    await expect(runDlqShow('three', { data }, aTerminal())).rejects.toThrow(/PARTITION\/POSITION/)
  })

  it.each(['source:shop.events', 'http:segment'])(
    'lists events of another system, %s, and shows their text',
    async (topic) => {
      await append('dead-letters.v1', aLetter(Buffer.from('{"event":"Pin Saved"}'), 3, topic))
      await runDlqList({ data, topic }, aTerminal())
      expect(written).toContain(`${topic}/0@3`)
      expect(written).toMatch(/1 dead letters?\n$/)
      await runDlqShow(place().replace('/0', '/2'), { data }, aTerminal())
      expect(written).toContain('{"event":"Pin Saved"}')
    },
  )

  it('refuses an unknown topic', async () => {
    await expect(runDlqList({ data, topic: 'engagement.v1' }, aTerminal())).rejects.toThrow(
      /topics are engagements\.v1/,
    )
  })

  it('lets a halted partition continue: present bad records become dead letters, later ones can halt it again', async () => {
    const bad = { key: 'u', value: Uint8Array.of(255), partition: null }
    await append('engagements.v1', ...Array.from({ length: 8 }, () => bad))
    const folded = (): Promise<string | null> =>
      opened(async ({ log, store, clock }) => {
        const config = updaterConfigOf({ updater: { canaryEveryMs: 0, haltMinBadRecords: 5 } })
        const updater = createUpdater({ log, store, clock, config })
        await updater.start()
        while (updater.notReady() === null && (await updater.lag()) > 0) await clock.sleep(5)
        const problem = updater.notReady()
        await updater.stop()
        return problem
      })
    expect(await folded()).toMatch(/halted: 8 of 8 records are bad.*freshet dlq resume/)
    expect(await ends('dead-letters.v1')).toBe(2)
    await runDlqResume({ data }, aTerminal())
    expect(written).toMatch(/no longer halt partitions; the next `freshet dev` continues/)
    expect(await folded()).toBeNull()
    expect(await ends('dead-letters.v1')).toBe(10)
    await append('engagements.v1', ...Array.from({ length: 8 }, () => bad))
    expect(await folded()).toMatch(/halted/)
  })

  it('replays records that can be read now, and nothing in a dry run', async () => {
    await runDlqReplay({ data, rate: '1000', dryRun: true }, aTerminal())
    expect(written).toContain('2 match, 1 would be replayed, 1 still cannot be read')
    expect(await ends('engagements.v1')).toBe(0)
    await runDlqReplay({ data, rate: '1000' }, aTerminal())
    expect(written).toContain('2 match, 1 replayed, 1 still cannot be read')
    expect(await ends('engagements.v1')).toBe(1)
  })

  it('applies a record once that is replayed twice', async () => {
    await runDlqReplay({ data, rate: '1000' }, aTerminal())
    await fold()
    const once = await stored('user.1', 'u')
    await runDlqReplay({ data, rate: '1000' }, aTerminal())
    await fold()
    expect(once).not.toBeNull()
    expect(await stored('user.1', 'u')).toEqual(once)
  })
})

describe('freshet rebuild of an empty log', () => {
  it('does not switch', async () => {
    await runRebuild({ data, family: 'user' }, aTerminal(), {})
    expect(written).toMatch(/user: the log contains nothing to fold; generation 1 continues to serve\n$/)
    expect(await opened(({ store }) => servingGeneration(store, 'user'))).toBe('1')
  })
})

describe('freshet rebuild', () => {
  const users = ['a', 'b', 'c']
  const given = (more: Partial<RebuildArguments> = {}): RebuildArguments => ({ data, family: 'user', ...more })
  const serving = (): Promise<string> => opened(({ store }) => servingGeneration(store, 'user'))
  const run = (more?: Partial<RebuildArguments>): Promise<void> => runRebuild(given(more), aTerminal(), {})

  beforeEach(async () => {
    await append('engagements.v1', ...users.map((user) => aRecord({ userId: asId<UserId>(user) })))
    await fold()
  })

  it('folds again, finds no difference, switches, and rolls back', async () => {
    await run({ family: 'all' })
    expect(written).toMatch(/user state, generation 1 compared with 2: 3 records folded, 3 values compared/)
    // User state sends one record to pin state for each of its batches; all users of a partition are in one batch.
    const batches = new Set(users.map((user) => partitionOf(user, partitions))).size
    expect(written).toContain(`pin state, generation 1 compared with 2: ${batches} records folded, 1 values compared`)
    expect(await serving()).toBe('2')
    expect(await stored('user.2', 'a')).toEqual(await stored('user.1', 'a'))
    await run({ rollback: true })
    expect(await serving()).toBe('1')
  })

  it('prints what it would do in a dry run', async () => {
    await run({ dryRun: true })
    expect(written).toBe('user: generation 1 serves; 3 records would be folded into generation 2\n')
    expect(await stored('user.2', 'a')).toBeNull()
    await run({ rollback: true, dryRun: true })
    expect(await serving()).toBe('1')
  })

  it('does not switch to a generation that differs without --accept-differences', async () => {
    await opened(({ store }) =>
      store.put('user.1', partitionOf('a', partitions), { key: 'a', value: Uint8Array.of(1, 2), ttlMs: null }),
    )
    await expect(run()).rejects.toMatchObject({ code: 'REBUILD_DIFFERS', exitCode: 1 })
    expect(written).toContain('1 different')
    expect(await serving()).toBe('1')
    await run({ acceptDifferences: true })
    expect(await serving()).toBe('2')
  })

  it('starts again after a rollback, and removes a generation that does not serve', async () => {
    await run({ switch: false })
    expect(await serving()).toBe('1')
    await run()
    expect(written).toContain('removing the state that an earlier rebuild left in generation 2')
    await expect(run({ drop: '2' })).rejects.toThrow(/serves/)
    await run({ drop: '1' })
    expect(written).toMatch(/generation 1 was removed\n$/)
    await run({ drop: '7' })
    expect(written).toMatch(/generation 7 was removed; it was empty\n$/)
    expect(await stored('user.1', 'a')).toBeNull()
  })

  it('refuses a generation before the first', async () => {
    await run({ rollback: true })
    expect(written).toContain('there is no previous generation')
  })
})

describe('freshet users erase', () => {
  it('removes the user permanently, even if earlier events are replayed', async () => {
    const before = aRecord({ userId: asId<UserId>('ada') })
    await append('engagements.v1', before)
    await fold()
    expect(await stored('user.1', 'ada')).not.toBeNull()
    await runUsersErase('ada', { data }, aTerminal())
    await fold()
    expect(await stored('user.1', 'ada')).toBeNull()
    await append('engagements.v1', aRecord({ userId: asId<UserId>('ada') }))
    await fold()
    expect(await stored('user.1', 'ada')).toBeNull()
  })

  it('refuses an invalid id', async () => {
    await expect(runUsersErase('', { data }, aTerminal())).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})

describe('freshet replay', () => {
  const pin = { pin: { pinId: 'p1', title: 'Rye bread' } }
  const engagement = (eventId: string, more: object = {}): object => ({
    engagement: { eventId, userId: 'u', action: 'click', pinId: 'p1', occurredAt: '2023-11-15T12:00:00.000Z', ...more },
  })
  const question = { question: { at: '2023-11-15T12:00:01.000Z', userId: 'u', target: 'p2' } }

  function aRecording(...lines: readonly object[]): string {
    const file = join(data, 'recording.jsonl')
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return file
  }

  it('writes pins and engagements of any age to a data folder, and applies them once', async () => {
    const file = aRecording(pin, engagement('e1'), question, engagement('e2'))
    await runReplay([file], { data, partitions: '4' }, aTerminal())
    expect(written).toBe('1 pins and 2 engagements accepted, 0 rejected\n')
    await fold()
    const once = await stored('user.1', 'u')
    await runReplay([file], { data, partitions: '4' }, aTerminal())
    await fold()
    expect(once).not.toBeNull()
    expect(await stored('user.1', 'u')).toEqual(once)
  })

  it('creates a data folder that does not exist', async () => {
    const fresh = join(data, 'fresh')
    await runReplay([aRecording(pin)], { data: fresh, partitions: '2' }, aTerminal())
    await withOpen(openFolder({ data: fresh }), async ({ log }) => expect(await log.partitionCount('pins.v1')).toBe(2))
  })

  it('reports rejected events, and accepts the others', async () => {
    const file = aRecording(engagement('e1'), engagement('e2', { dwellMs: 'long' }), engagement('e3'))
    await expect(runReplay([file], { data, partitions: '4' }, aTerminal())).rejects.toMatchObject({
      code: 'EVENTS_REJECTED',
    })
    expect(written).toContain('2 engagements accepted, 1 rejected')
    expect(written).toContain(`${file}:2: EVENT_FIELD_TYPE`)
  })

  it.each([503, 429])('posts to a running ingest in order, and sends again after a %s', async (refusal) => {
    const bodies: string[] = []
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        bodies.push(`${request.url} ${Buffer.concat(chunks).toString()}`)
        const busy = bodies.length === 2
        response.writeHead(busy ? refusal : 202, { 'content-type': 'application/json', 'retry-after': '1' })
        response.end(
          JSON.stringify(busy ? { error: { code: 'INGEST_UNAVAILABLE' } } : { receipts: [{ token: 'e0-1' }] }),
        )
      })
    })
    await new Promise<void>((resolve) => server.listen(0, resolve))
    const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      await runReplay([aRecording(pin, engagement('e1'))], { target, partitions: '8' }, aTerminal())
    } finally {
      server.close()
    }
    expect(bodies.map((body) => body.split(' ')[0])).toEqual(['/v1/pins', '/v1/engagements', '/v1/engagements'])
    expect(bodies[2]).toBe(bodies[1])
    expect(written).toBe('1 pins and 1 engagements accepted, 0 rejected\n')
  })

  it('ends with one line if nothing listens or the recording does not exist', async () => {
    const given = { target: 'http://127.0.0.1:9', partitions: '8' }
    await expect(runReplay([aRecording(pin)], given, aTerminal())).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
    await expect(runReplay([aRecording(pin)], { ...given, target: 'localhost:9' }, aTerminal())).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: expect.stringContaining('http://') as string,
    })
    const missing = await runReplay([join(data, 'none.jsonl')], { data, partitions: '8' }, aTerminal()).catch(
      describeFailure,
    )
    expect(missing).toMatchObject({ exitCode: 69, line: expect.stringContaining('ENOENT') as string })
  })
})

describe('the location of log and state', () => {
  it('must be given exactly once', async () => {
    for (const given of [{}, { brokers: 'a:1' }, { data, brokers: 'a:1' }])
      await expect(openPlatform(given)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
    const twice = { brokers: 'a:1', redis: 'redis://a', redisCluster: 'b' }
    await expect(openPlatform(twice)).rejects.toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 })
    await expect(openPlatform({ data: join(data, 'none') })).rejects.toThrow(/is not a data folder/)
  })

  it(
    'has to be told what to do: a wrong command line ends with the exit code of wrong arguments',
    { timeout: 60_000 },
    () => {
      const main = fileURLToPath(import.meta.resolve('../main.ts'))
      const statusOf = (...given: string[]): number | null => spawnSync(process.execPath, [main, ...given]).status
      expect(statusOf('users', 'erase')).toBe(78)
      expect(statusOf('dlq', '--help')).toBe(0)
    },
  )

  it('is refused in one line while another process has the folder', async () => {
    await opened(async () => {
      const ended = spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.resolve('../main.ts')), 'dlq', 'list', '--data', data],
        { encoding: 'utf8' },
      )
      expect(ended.stderr).toMatch(/^freshet: STORE_IN_USE: .*stop it, or give another folder\n$/)
      expect(ended.stdout).toBe('')
      expect(ended.status).toBe(69)
    })
    const again = await openFolder({ data })
    await expect(openFolder({ data })).rejects.toSatisfy((error) => isContractError(error, 'STORE_IN_USE'))
    await again.close()
  })
})

describe('A2 · freshet log adopt', () => {
  it('A2: reports that there is nothing to adopt', async () => {
    await append('engagements.v1', aRecord())
    await fold()
    await runLogAdopt({ data }, aTerminal())
    expect(written).toBe('engagements.v1: the state follows this log\npin-engagements.v1: the state follows this log\n')
  })

  it('A2: reports state that is ahead of its log, changes nothing in a dry run, and adopts the log once', async () => {
    await append('engagements.v1', aRecord(), aRecord())
    await fold()
    // The state of a lost log beside a new one, as where a broker came back empty.
    await opened(async ({ store }) => {
      const partition = partitionOf('u', partitions)
      const nothing = { puts: [], appends: [], deletes: [], remember: [], meta: null }
      await store.commit({ scope: 'user.1', partition, from: 2, next: 50, ...nothing })
    })
    await expect(runRebuild({ data, family: 'user' }, aTerminal())).rejects.toThrow(/freshet log adopt/)
    written = ''
    await runLogAdopt({ data, dryRun: true }, aTerminal())
    expect(written).toContain('engagements.v1 ends before the folded position\n  2 records in 4 partitions')
    expect(written).toContain('nothing was changed')
    await runLogAdopt({ data, from: 'start' }, aTerminal())
    expect(written).toContain('folding continues with its first record')
    expect(written).toContain('adopted; feature-updater continues within seconds')
    await fold()
    written = ''
    await runLogAdopt({ data }, aTerminal())
    expect(written).toContain('engagements.v1: the state follows this log')
  })

  it('A2: refuses an invalid time and names the argument', async () => {
    await expect(runLogAdopt({ data, from: 'yesterday' }, aTerminal())).rejects.toThrow(
      /--from is yesterday; give start/,
    )
  })
})
