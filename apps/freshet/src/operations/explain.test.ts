import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { formatFeedId } from '@freshet/contracts/feed-id'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { hash32 } from '@freshet/domain/hash'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runExplain } from './explain.ts'
import { openFolder, withOpen } from './platform.ts'
import { aTerminal } from './terminal.fixture.ts'

let data: string
let written: string
const feedId = formatFeedId({ receivedAtMs: Date.now(), partition: null }, '00000000000')

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'freshet-explain-'))
  written = ''
  await (await openFolder({ data }, 4)).close()
  const feed = FeedServed.fromPartial({
    feedId,
    atMs: Date.UTC(2026, 0, 31, 8),
    pinIds: ['p1'],
    utilities: bytesOf(Float32Array.of(1.5)),
    sources: ['trending'],
    foundBy: bytesOf(Uint32Array.of(1)),
    featureNames: ['a'],
    features: bytesOf(Float32Array.of(7)),
    actions: ['click'],
    probabilities: bytesOf(Float32Array.of(0.5)),
    modelVersion: 'home-1',
    context: {
      filter: { topicIds: ['tea', 'cake'], userAge: 17 },
      excludedPins: 2,
      seenPins: 1,
      withoutSources: ['walk'],
    },
    trace: {
      reasons: [{ stage: 'page', reason: 'below-page', candidates: 1, sampled: 0 }],
      pins: bytesOf(Uint32Array.of(hash32('p1'), hash32('p2'))),
      fates: Uint8Array.of(0, 1),
      utilities: bytesOf(Float32Array.of(1.5, 0.5)),
    },
  })
  await withOpen(openFolder({ data }), ({ log }) =>
    log.append('feeds-served.v1', [{ key: feedId, value: FeedServed.encode(feed).finish(), partition: null }]),
  )
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const terminal = { ...aTerminal(), write: (text: string) => void (written += text) }

it('prints the page, one pin, and why another pin is not there', async () => {
  await runExplain(feedId, undefined, { data }, terminal)
  expect(written).toContain(`feed ${feedId} of an unknown user at 2026-01-31T08:00:00.000Z`)
  const asked = 'topics tea, cake; age of the user 17; 2 pins excluded; 1 pin seen elsewhere; without the sources walk'
  expect(written).toContain(`the request asked for: ${asked}\n`)
  expect(written).toContain('p1  utility 1.5000  from trending')
  expect(written).toContain('page: below-page')
  written = ''
  await runExplain(feedId, 'p1', { data }, terminal)
  expect(written).toMatch(/click 0\.5000\n[\s\S]* a +7\n/)
  expect(written).toContain('no contributions: the log has no model; ask a blender')
  written = ''
  await runExplain(feedId, 'p2', { data }, terminal)
  expect(written).toContain('p2 was a candidate; the stage page removed it (below-page).')
  expect(written).toContain('Its utility is 0.5000; that of the last pin of the page is 1.5000.')
})

it('prints JSON, and says why a feed is missing', async () => {
  await runExplain(feedId, 'nowhere', { data, json: true }, terminal)
  expect(JSON.parse(written)).toMatchObject({ feedId, absence: { pinId: 'nowhere' } })
  await expect(runExplain('f1', undefined, { data }, terminal)).rejects.toMatchObject({ code: 'FEED_MISSING' })
  await expect(runExplain(feedId, undefined, { data, target: 'x:1' }, terminal)).rejects.toThrow('--target')
})
