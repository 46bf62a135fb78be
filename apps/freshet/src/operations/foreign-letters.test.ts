import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAccess } from '@freshet/access/access'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { pseudonymsOf } from '@freshet/adapters/system/pseudonyms'
import { encodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import { counted } from '@freshet/domain/decay'
import { actions, type Action } from '@freshet/domain/engagement'
import { partitionOf } from '@freshet/domain/partition'
import { ingestSettings, sourceSettings } from '@freshet/event-ingest/config'
import { createConnectors } from '@freshet/event-ingest/connectors/connectors'
import { readMappingFile } from '@freshet/event-ingest/connectors/mapping-file'
import { startSource, type SourceLog } from '@freshet/event-ingest/connectors/source'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { readSuppression } from '@freshet/event-ingest/suppression'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { createUpdater } from '@freshet/feature-updater/updater'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import { httpSettings } from '@freshet/service/settings'
import { until } from '@freshet/service/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runDlqList, runDlqReplay } from './dead-letters.ts'
import { runUsersErase } from './erase-user.ts'
import { openFolder, withOpen, type OpenPlatform } from './platform.ts'

const partitions = 4
let folder: string
let data: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-letters-'))
  data = join(folder, 'data')
  await (await openFolder({ data }, partitions)).close()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const opened = <T>(work: (platform: OpenPlatform) => Promise<T>): Promise<T> => withOpen(openFolder({ data }), work)

/** What a command prints. */
async function printed(run: (terminal: Parameters<typeof runDlqList>[1]) => Promise<void>): Promise<string> {
  let text = ''
  await run({
    write: (more) => (text += more),
    progress: { write: () => true },
    nowMs: () => 0,
    signal: new AbortController().signal,
  })
  return text
}

const replay = (more: Partial<Parameters<typeof runDlqReplay>[0]> = {}): Promise<string> =>
  printed((terminal) => runDlqReplay({ data, rate: '1000', ...more }, terminal))
const list = (): Promise<string> => printed((terminal) => runDlqList({ data }, terminal))

function file(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** The parts of event-ingest over the log of the folder. */
async function ingestOn(log: EventLog, mapping: string | undefined, secretFile: string | undefined) {
  const clock = createSystemClock()
  const config = z.object(ingestSettings).parse({ connectors: { file: mapping ?? null } })
  const pseudonymOf = pseudonymsOf({ secretFile: secretFile ?? null })
  const suppression = await readSuppression(log, () => undefined)
  const own = { log, clock, config, metrics: createMetrics(), report: silentReport, pseudonymOf }
  const ingest = createIngest({ ...own, suppression })
  return { ...own, ingest, connectors: createConnectors({ ...own, ingest }) }
}

/** Posts a batch as Segment's SDKs do. */
function post(
  batch: readonly object[],
  { mapping, secretFile, sentAt }: { mapping?: string; secretFile?: string; sentAt?: string } = {},
) {
  return opened(async ({ log }) => {
    const parts = await ingestOn(log, mapping, secretFile)
    const limits = z.object(httpSettings(0)).parse({})
    const app = createHttpApp({ ...parts, access: openAccess, limits, origins: [] })
    const answer = await app.inject({
      ...{ method: 'POST', url: '/v1/segment/v1/batch' },
      payload: { batch, ...(sentAt !== undefined && { sentAt }) },
    })
    await app.close()
    return answer.json<{ readonly accepted: number; readonly rejected: number }>()
  })
}

/** Lets event-ingest read records of another system's topic, until the log has `letters` of them as dead letters. */
async function readTopic(
  records: readonly NewRecord[],
  format: 'json' | 'cloudevents' | 'segment',
  letters: number,
): Promise<void> {
  const topic = 'shop.clicks'
  const theirs = createMemoryEventLog()
  await theirs.applyTopics([
    { name: topic, partitions: 1, cleanup: 'delete', retentionMs: null, maxRecordBytes: 1 << 20 },
  ])
  await theirs.append(topic, records)
  const source: SourceLog = { ...theirs, committed: () => Promise.resolve([null]), begin: () => Promise.resolve() }
  await opened(async ({ log }) => {
    const parts = await ingestOn(log, undefined, undefined)
    const settings = { ...z.object(sourceSettings).parse({ format }), topic }
    const component = startSource({ ...parts, source, mapping: readMappingFile(null), settings })
    await until('its letters are in the log', async () => {
      const ends = await log.ends('dead-letters.v1')
      return ends.reduce((sum, end) => sum + end, 0) === letters
    })
    await component.drain?.()
  })
  await theirs.close()
}

/** Lets an updater fold what the log has. */
const fold = (): Promise<void> =>
  opened(async (platform) => {
    const updater = createUpdater({ ...platform, config: updaterConfigOf({ updater: { canaryEveryMs: 0 } }) })
    await updater.start()
    await until('all is folded', async () => (await updater.lag()) === 0)
    await updater.stop()
  })

/** How often the state counts an action of a user. */
async function acts(userId: string, action: Action): Promise<number> {
  await fold()
  return opened(async ({ store }) => {
    const [bytes] = (await store.read('user.1', partitionOf(userId, partitions), [userId])).values
    if (bytes == null) return 0
    const { counters, lastAtMs } = decodeUserState(bytes)
    return Math.round(counted(counters, actions.indexOf(action), 'total', lastAtMs))
  })
}

const nowIso = (aheadMs = -1_000): string => new Date(Date.now() + aheadMs).toISOString()

/** A save whose pin is where no plain name leads. */
const aSave = (messageId: string, userId: string, more: object = {}): object => ({
  ...{ type: 'track', event: 'Pin Saved', messageId, userId, timestamp: nowIso() },
  properties: { item: 'p1', email: 'ann@example.org' },
  ...more,
})

describe('freshet dlq replay of events of other systems', () => {
  /** Keeps what the mapping of today does not read yet, and the mapping that reads it. */
  const wrong = () => file('wrong.json', { segment: { keep: ['properties.item'] } })
  const right = () => file('right.json', { segment: { fields: { pinId: 'properties.item' } } })

  it('maps Segment events again by the corrected file, and counts each once, however often', async () => {
    expect(await post([aSave('m1', 'ann'), aSave('m2', 'bob')], { mapping: wrong() })).toMatchObject({ rejected: 2 })
    expect(await acts('ann', 'save')).toBe(0)
    const before = await replay()
    expect(before).toMatch(/^2 match, 0 replayed, 2 still cannot be read\n/)
    expect(before).toMatch(/EVENT_FIELD_MISSING: pinId is missing.*mapped from properties\.pinId.*"keep"/)

    expect(await replay({ mapping: right(), dryRun: true })).toBe(
      '2 match, 2 would be replayed, 0 still cannot be read\n',
    )
    expect(await acts('ann', 'save')).toBe(0)
    expect(await replay({ mapping: right() })).toBe('2 match, 2 replayed, 0 still cannot be read\n')
    expect([await acts('ann', 'save'), await acts('bob', 'save')]).toEqual([1, 1])

    expect(await replay({ mapping: right() })).toBe('2 match, 0 replayed, 2 replayed before, 0 still cannot be read\n')
    expect(await acts('ann', 'save')).toBe(1)
    expect(await list()).toMatch(/\(replayed\)\n2 dead letters, 2 of them replayed\n$/)
    // Nothing that no mapping reads is in the log.
    const values = await opened(async ({ log }) => {
      const found: string[] = []
      const reader = await log.readAll({
        ...{ topics: ['dead-letters.v1', 'engagements.v1'], maxBatchRecords: 100, startAt: () => null },
        onError: (error) => found.push(error.message),
        onBatch: ({ records }) => {
          found.push(...records.map(({ value }) => Buffer.from(value ?? []).toString('latin1')))
          return Promise.resolve()
        },
      })
      await until('all are read', () => Promise.resolve(found.length === 6))
      await reader.stop()
      return found
    })
    expect(values.join()).not.toContain('example.org')
  })

  it('counts once what the client sent again meanwhile, with and without messageId', async () => {
    const { messageId: _, ...unnamed } = aSave('', 'ann') as { messageId: string }
    const events = [aSave('m1', 'ann'), unnamed]
    await post(events, { mapping: wrong() })
    expect(await post(events, { mapping: right() })).toMatchObject({ accepted: 2 })
    expect(await replay({ mapping: right() })).toMatch(/^2 match, 2 replayed/)
    expect(await acts('ann', 'save')).toBe(2)
  })

  it('takes the settings of event-ingest from the environment, one by one or as a group', async () => {
    const { readForeignSettings } = await import('./foreign-letters.ts')
    const single = readForeignSettings({}, { FRESHET_INGEST_TOLERATED_SKEW_MS: '7000' })
    const group = readForeignSettings({}, { FRESHET_INGEST: '{"toleratedSkewMs":7000}' })
    expect([single.ingest.toleratedSkewMs, group.ingest.toleratedSkewMs]).toEqual([7_000, 7_000])
    expect(() => readForeignSettings({}, { FRESHET_PSEUDONYMS: '{"secretFile":"/nowhere"}' })).toThrow(/cannot be read/)
  })

  it('counts once what a replay that died before its note had appended', async () => {
    await post([aSave('m1', 'ann')], { mapping: wrong() })
    const { OperationError } = await import('./errors.ts')
    await opened(async ({ log, clock }) => {
      const { replayDeadLetters } = await import('@freshet/feature-updater/replay-dead-letters')
      const { allDeadLetters } = await import('@freshet/feature-updater/dead-letters')
      const { foreignLetters, readForeignSettings } = await import('./foreign-letters.ts')
      const { signal } = new AbortController()
      const onError = () => undefined
      const settings = readForeignSettings({ mapping: right() }, {})
      const dying: typeof log.append = (topic, ...rest) =>
        topic === 'dead-letters.v1'
          ? Promise.reject(new OperationError('TARGET_UNREACHABLE', 'killed'))
          : log.append(topic, ...rest)
      const run = replayDeadLetters({
        ...{ log: { ...log, append: dying }, clock, filter: allDeadLetters, maxPerSecond: 1_000, dryRun: false },
        ...{ signal, onError, foreign: foreignLetters({ log, clock, settings, onError, signal }) },
      })
      await expect(run).rejects.toThrow('killed')
    })
    expect(await acts('ann', 'save')).toBe(1)
    expect(await replay({ mapping: right() })).toMatch(/^1 match, 1 replayed/)
    expect(await acts('ann', 'save')).toBe(1)
  })

  it('applies nothing of a user who was erased after the letter was written, and says so', async () => {
    // The time of the event is after the erasure by its own clock.
    await post([aSave('m1', 'ann', { timestamp: nowIso(200_000) }), aSave('m2', 'bob')], { mapping: wrong() })
    await printed((terminal) => runUsersErase('ann', { data }, terminal))
    expect(await replay({ mapping: right() })).toBe(
      '2 match, 1 replayed, 1 of users who were erased, 0 still cannot be read\n',
    )
    expect([await acts('ann', 'save'), await acts('bob', 'save')]).toEqual([0, 1])
  })

  it('corrects the times of a client whose clock is ahead, as event-ingest would have', async () => {
    const ahead = 3_600_000
    const event = aSave('m1', 'ann', { timestamp: nowIso(ahead - 1_000) })
    await post([event], { mapping: wrong(), sentAt: nowIso(ahead) })
    expect(await replay({ mapping: right() })).toMatch(/^1 match, 1 replayed/)
    await fold()
    const lastAtMs = await opened(async ({ store }) => {
      const [bytes] = (await store.read('user.1', partitionOf('ann', partitions), ['ann'])).values
      return decodeUserState(bytes as Uint8Array).lastAtMs
    })
    expect(lastAtMs).toBeLessThan(Date.now())
  })

  it('merges nobody by an event over HTTP, because a letter does not say who sent it', async () => {
    // An identify that its mapping could not read: whoever has the public key could have sent it.
    const mapping = file('map.json', { segment: { events: { Signup: 'click' } } })
    const event = {
      type: 'track',
      event: 'Signup',
      messageId: 'm',
      userId: 'eve',
      previousId: 'ann',
      timestamp: nowIso(),
    }
    await post([event], {
      mapping: file('keep.json', { segment: { events: { Signup: 'click' }, keep: ['previousId'] } }),
    })
    expect(await replay({ mapping })).toMatch(/1 still cannot be read/)
    const merging = file('merge.json', {
      segment: { events: { Signup: { merge: { fromUserId: 'previousId', intoUserId: 'userId' } } } },
    })
    const text = await replay({ mapping: merging })
    expect(text).toMatch(/^1 match, 0 replayed, 1 without a consequence by the mapping, 0 still/)
    expect(text).toContain('POST /v1/users/{id}/merge')
  })

  it('says of a letter that the mapping drops or does not know that it has no consequence', async () => {
    await post([aSave('m1', 'ann')], { mapping: wrong() })
    const mapping = file('drop.json', { segment: { events: { 'Pin Saved': null } } })
    expect(await replay({ mapping })).toMatch(
      /^1 match, 0 replayed, 1 without a consequence.*\n.*the mapping file drops/,
    )
  })

  it('cannot replay letters of users with pseudonyms, and says why', async () => {
    const secretFile = file('secret', 'a secret of at least thirty-two bytes')
    await post([aSave('m1', 'ann')], { mapping: wrong(), secretFile })
    const text = await replay({ mapping: right(), pseudonymsSecret: secretFile })
    expect(text).toMatch(/1 still cannot be read\n.*only id and name of its event, because users have pseudonyms/)
  })

  it('stores users under their pseudonyms if these were turned on later', async () => {
    await post([aSave('m1', 'ann')], { mapping: wrong() })
    const secretFile = file('secret', 'a secret of at least thirty-two bytes')
    await replay({ mapping: right(), pseudonymsSecret: secretFile })
    expect(await acts('ann', 'save')).toBe(0)
    expect(await acts(pseudonymsOf({ secretFile })('ann'), 'save')).toBe(1)
  })

  it('refuses a mapping file with mistakes, with all of them', async () => {
    const mapping = file('broken.json', { segment: { keep: 'properties', events: { 'Pin Saved': 'love' } } })
    await expect(replay({ mapping })).rejects.toThrow(/2 mistakes.*events\["Pin Saved"\].*keep is .*give a list/s)
    await expect(replay({ mapping: join(folder, 'absent.json') })).rejects.toThrow(/absent\.json.*cannot be read/s)
    await expect(replay({ pseudonymsSecret: join(folder, 'absent') })).rejects.toThrow(
      /from --pseudonyms-secret\).*cannot be read/s,
    )
  })

  const record = (value: unknown, headers: Record<string, string> = {}): NewRecord => ({
    ...{ key: 'k', partition: 0, headers },
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  })
  const data64 = (of: object): string => Buffer.from(JSON.stringify(of)).toString('base64')

  it.each([
    [
      'json',
      [record({ action: 'save', userId: 'ann', boardId: 7, timestamp: nowIso() })],
      { json: { fields: { pinId: { value: 'p1' }, boardId: 'boardId' } } },
    ],
    [
      'cloudevents',
      [
        record(
          { userId: 'ann', pinId: 'p1', boardId: 'two words and a tab\t' },
          {
            ce_specversion: '1.0',
            ce_id: '1',
            ce_source: '/shop',
            ce_type: 'save',
            'content-type': 'application/json',
          },
        ),
      ],
      { cloudevents: { fields: { boardId: { value: 'fixed' } } } },
    ],
    [
      'cloudevents',
      [
        record({
          ...{ specversion: '1.0', id: '2', source: '/shop', type: 'save', datacontenttype: 'application/json' },
          data_base64: data64({ userId: 'ann', pinId: 'p1', boardId: 'a\tb' }),
        }),
      ],
      { cloudevents: { fields: { boardId: { value: 'fixed' } } } },
    ],
    ['segment', [record(aSave('m9', 'ann', { properties: {} }))], { segment: { fields: { pinId: { value: 'p1' } } } }],
  ] as const)('maps records of a topic in the form %s again, once', async (format, records, mapping) => {
    await readTopic(records, format, 1)
    expect(await acts('ann', 'save')).toBe(0)
    expect(await replay()).toMatch(/^1 match, 0 replayed, 1 still cannot be read/)
    const corrected = file('corrected.json', mapping)
    expect(await replay({ mapping: corrected })).toMatch(/^1 match, 1 replayed, 0 still/)
    expect(await replay({ mapping: corrected })).toMatch(/^1 match, 0 replayed, 1 replayed before/)
    expect(await acts('ann', 'save')).toBe(1)
  })

  it.each([
    ['is not JSON', '', 'nothing of its event'],
    ['was cut', '{"userId": "an', 'only a part of its event', 'is too long (value cut from 99999 bytes)'],
    ['was not an object', '[1]', 'not an object'],
  ])('names what is wrong with a letter whose value %s', async (_, value, wanted, message = 'is wrong') => {
    const letter = encodeDeadLetter({
      ...{ sourceTopic: 'source:shop', sourcePartition: 0, sourcePosition: 1, key: 'k', code: 'BODY_MALFORMED' },
      ...{ value: Buffer.from(value), message, schema: 'json event of topic abc', atMs: Date.now() },
    })
    await opened(({ log }) => log.append('dead-letters.v1', [{ key: 'k', value: letter, partition: null }]))
    expect(await replay()).toMatch(new RegExp(`1 still cannot be read\\n.*${wanted}`))
  })
})
