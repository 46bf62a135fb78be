import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import { artefactName, decodeArtefact, encodeArtefact, sha256 } from '@freshet/ranking/artefact/bytes'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeFailure } from '../failure.ts'
import { openFolder, withOpen } from '../operations/platform.ts'
import { aTerminal } from '../operations/terminal.fixture.ts'
import { runParity } from './command.ts'
import { play, type Played } from './played.fixture.ts'
import type { ParityReport } from './report.ts'

let source: string
let played: Played
let data: string
beforeAll(async () => {
  source = mkdtempSync(join(tmpdir(), 'freshet-parity-models-'))
  played = await play(source)
}, 120_000)
afterAll(() => rmSync(source, { recursive: true, force: true }))
beforeEach(() => void (data = mkdtempSync(join(tmpdir(), 'freshet-parity-'))))
afterEach(() => rmSync(data, { recursive: true, force: true }))

const recordOf = (served: FeedServed): NewRecord => ({
  key: served.userId,
  value: FeedServed.encode(served).finish(),
  partition: null,
})
const served = (): FeedServed[] => played.feeds.map(({ value }) => FeedServed.decode(value!))
const isNextPage = ({ firstPosition }: FeedServed): boolean => firstPosition > 0
const isMadeFromReserve = ({ stages }: FeedServed): boolean => stages.some(({ stage }) => stage.endsWith('rank-again'))
const isTrained = ({ modelVersion }: FeedServed): boolean => modelVersion.startsWith('home-2026')

/** Runs the command over these feeds. */
async function check(feeds: readonly NewRecord[], models = played.models) {
  await withOpen(openFolder({ data }, 4), async ({ log }) => {
    await log.append('feeds-served.v1', feeds)
    await log.append('models.v1', models)
  })
  const terminal = aTerminal()
  const { printed } = terminal
  const given = { data, models: source, backend: 'auto', show: '5' }
  const error = await runParity({ ...given, json: true }, terminal).catch((thrown: unknown) => thrown)
  const report = JSON.parse(printed.join('')) as ParityReport
  printed.length = 0
  await runParity(given, terminal).catch(() => undefined)
  return { report, error, text: printed.join('') }
}

describe('freshet parity', () => {
  it('finds no difference in feeds and their next pages, of the shipped spec, of trained models and of a model of the ranking language', async () => {
    const feeds = served()
    expect(feeds.some(isTrained)).toBe(true)
    expect(feeds.every(isTrained)).toBe(false)
    expect(feeds.filter(isNextPage)).toHaveLength(40)
    expect(feeds.filter(isNextPage).every(isMadeFromReserve)).toBe(true)
    const { report, error, text } = await check(played.feeds)
    expect(error).toBeUndefined()
    const rows = feeds.reduce((sum, { pinIds }) => sum + pinIds.length, 0)
    expect(report).toMatchObject({ compared: { feeds: 80, rows }, differingRows: 0, differences: [] })
    // The first phase of the last model keeps 6 candidates of a page.
    expect(report.cutRows).toBeGreaterThan(0)
    expect(report.models['deep-1']).toBeGreaterThan(report.cutRows)
    expect(Object.keys(report.models).length).toBeGreaterThan(2)
    expect(text).toContain(`${rows - report.cutRows} equal, 0 differ`)
    expect(text).toContain('not covered: features that read the state of the user')
  })

  it('finds one flipped bit in a recorded feature, and names feed, pin, head and both values', async () => {
    const feeds = served()
    const at = feeds.findIndex(isTrained)
    const feed = feeds[at]!
    const features = Uint8Array.from(feed.features)
    const row = 3
    const column = feed.featureNames.findIndex((name) => name === 'retrieval_score')
    features[4 * (row * feed.featureNames.length + column) + 2]! ^= 64
    const { report, error, text } = await check(
      feeds.map((each) => recordOf(each === feed ? { ...each, features } : each)),
    )
    expect(report).toMatchObject({ differingRows: 1 })
    expect(describeFailure(error)).toMatchObject({
      exitCode: 1,
      line: expect.stringContaining('PARITY_DIFFERS') as string,
    })
    const numbers = report.differences.map(({ feedId, pinId, number }) => `${feedId} ${pinId} ${number}`)
    const place = `${feed.feedId} ${feed.pinIds[row]!}`
    expect(numbers).toContain(`${place} utility`)
    expect(numbers).toContain(`${place} feature retrieval_score`)
    expect(text).toMatch(new RegExp(`feed ${feed.feedId}, pin ${feed.pinIds[row]!}, utility: recorded .* computed `))
  })

  it.each(['utilities', 'probabilities'] as const)('finds the lowest bit of one number of %s', async (column) => {
    const feeds = served()
    const feed = feeds.find(isTrained)!
    const bytes = Uint8Array.from(feed[column])
    bytes[0]! ^= 1
    const { report } = await check(feeds.map((each) => recordOf(each === feed ? { ...each, [column]: bytes } : each)))
    expect(report.differingRows).toBe(1)
    expect(report.differences).toHaveLength(1)
  })

  it.each(['amounts', 'exposed'] as const)('finds a changed number of %s', async (column) => {
    const feeds = served()
    const feed = feeds.findLast(({ modelVersion }) => modelVersion === 'deep-1')!
    const probabilities = new Float32Array(Uint8Array.from(feed.probabilities).buffer)
    const scored = probabilities.findIndex((probability) => probability !== 0)
    const bytes = Uint8Array.from(feed[column])
    bytes[4 * scored * (column === 'exposed' ? 2 : 1)]! ^= 1
    const { report } = await check([recordOf({ ...feed, [column]: bytes })])
    const number = column === 'exposed' ? 'exposed age' : 'prediction dwell'
    expect(report.differences).toMatchObject([{ number, pinId: feed.pinIds[scored] }])
  })

  it('finds another recorded topic, because the predictions follow from it', async () => {
    const feed = served().findLast(({ modelVersion }) => modelVersion === 'deep-1')!
    const facts = feed.facts.map((fact) => ({ ...fact, texts: fact.texts.map(() => 'another') }))
    expect((await check([recordOf({ ...feed, facts })])).report.differingRows).toBeGreaterThan(0)
    const bare = await check([recordOf({ ...feed, facts: [] })])
    expect(bare.report.leftOut['no-features'].feeds).toBe(1)
    expect(bare.text).toContain('it records the facts none; its model has pin.creator, pin.topics')
  })

  it('finds that a model has other weights under the same name', async () => {
    const feed = served().find(isTrained)!
    const name = artefactName('home', feed.modelVersion)
    const store = createFolderArtefactStore(source)
    const before = await store.get(name)
    const { manifest, model } = decodeArtefact(before, name)
    const weights = new Map(model.parameters.weights)
    const [key, first] = [...weights][0]!
    weights.set(key, { ...first, values: first.values.map((value) => value + 0.01) })
    const forged = encodeArtefact({ manifest, model: { ...model, parameters: { ...model.parameters, weights } } })
    const { encodeModelRecord, decodeModelRecord } = await import('@freshet/contracts/codecs/model-record')
    const models = played.models.map(({ key: id, value }) => {
      const { record } = decodeModelRecord(id, value)
      return encodeModelRecord(record!.version === feed.modelVersion ? { ...record!, sha256: sha256(forged) } : record!)
    })
    await store.put(name, forged)
    const { report } = await check([recordOf(feed)], models).finally(() => store.put(name, before))
    expect(report.differingRows).toBe(feed.pinIds.length)
  })

  it('counts why feeds were not compared', async () => {
    const [feed] = served()
    const none = new Uint8Array()
    const { report, error, text } = await check([
      recordOf({ ...feed!, modelVersion: '' }),
      recordOf({ ...feed!, featureNames: [], features: none }),
      recordOf({ ...feed!, modelVersion: 'home-gone' }),
      { key: 'u', value: Uint8Array.of(255, 1, 2), partition: null },
      recordOf({ ...feed!, features: feed!.features.subarray(4) }),
    ])
    const { length: rows } = feed!.pinIds
    expect(report.leftOut).toEqual({
      'not-ranked': { feeds: 1, rows },
      'no-features': { feeds: 1, rows },
      'no-model': { feeds: 1, rows },
      damaged: { feeds: 2, rows },
    })
    expect(error).toMatchObject({ code: 'PARITY_DIFFERS' })
    expect(text).toContain('neither the registry nor a given spec has the model home-gone')
  })

  it('fails if it could compare nothing', async () => {
    const { error } = await check([recordOf({ ...served()[0]!, modelVersion: '' })])
    expect(error).toMatchObject({ code: 'PARITY_EMPTY' })
  })
})
