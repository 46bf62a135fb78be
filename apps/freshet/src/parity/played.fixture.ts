import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import { artefactName } from '@freshet/ranking/artefact/bytes'
import { aModelRecord } from '@freshet/ranking/registry/testing'
import { artefactOf, planOfText, randomModel } from '@freshet/ranking/serving/testing'
import { aCreator, aTopic, aWhole, type Act, type Whole } from '../whole.fixture.ts'

const minuteMs = 60_000
const users = Array.from({ length: 8 }, (_, n) => n)

/** A spec with facts, a calibrated head, an amount, exposed values, and a first phase that keeps fewer pins than a page shows. */
const deepSpec = `spec deep
input candidate.retrieval_score, pin.age, pin.creator, pin.topics, user.id, request.locale, candidate.sources
first phase keep 6 by candidate.retrieval_score
layer taste = embedding(hash(user.id, rows: 64), hash(pin.creator, rows: 64), hash(request.locale, rows: 16), size: 4)
layer about = embedding(hash(pin.topics, rows: 64), size: 4)
layer found = embedding(hash(candidate.sources, rows: 16), size: 4)
feature age = log1p(pin.age)
layer trunk = dcn_v2(concat(taste, about, found, candidate.retrieval_score, age), cross: 1, hidden: [8])
layer taste_score = linear(trunk)
expose age, taste_score
head click: probability = taste_score, calibrate: platt
head dwell: amount = linear(trunk), label: dwellSeconds
utility = 2 * click + 0.1 * dwell
`

/** What was appended to the log. */
export interface Played {
  readonly feeds: readonly NewRecord[]
  readonly models: readonly NewRecord[]
}

/** 64 pages before and after models that the trainer trained, then 16 pages of a model of the ranking language. Each second one is a next page. */
export async function play(artefacts: string): Promise<Played> {
  const appended = { feeds: [] as NewRecord[], models: [] as NewRecord[] }
  const store = createFolderArtefactStore(artefacts)
  const joiner = { windowMs: 5 * minuteMs, deliveryMs: 1_000 }
  const ranking = { trainIntervalMs: 10 * minuteMs, minRows: 100, minNewRows: 20 }
  let log: EventLog | null = null
  const whole = await aWhole(
    { trainer: { joiner, ranking } },
    (inner) =>
      (log = {
        ...inner,
        append(topic, records, options) {
          if (topic === 'feeds-served.v1') appended.feeds.push(...records)
          if (topic === 'models.v1') appended.models.push(...records)
          return inner.append(topic, records, options)
        },
      }),
    store,
  )
  await whole.pins(
    Array.from({ length: 120 }, (_, n) => [
      `p${n}`,
      { title: `pin ${n}`, topics: [aTopic(`t${n % 4}`)], creatorId: aCreator(`c${n % 10}`) },
    ]),
  )
  for (let round = 0; round < 4; round++) {
    await feedAll(whole)
    await whole.advance(11 * minuteMs)
    await whole.embedded.training?.runDue()
    await whole.act()
  }
  const { bytes, record } = artefactOf(randomModel(planOfText(deepSpec), 7), 'deep-1')
  await store.put(artefactName('home', record.version), bytes)
  const promoted = encodeModelRecord({ ...aModelRecord({ version: record.version, stage: 'serving' }), ...record })
  await log!.append('models.v1', [promoted])
  await whole.act()
  await feedAll(whole)
  await whole.stop()
  return appended
}

/** Each user gets a feed of 10 pins and its next page, and saves those of one topic on the first page. */
async function feedAll(whole: Whole): Promise<void> {
  for (const user of users) {
    const userId = `u${user}`
    const asked = { userId, pageSize: 10, locale: user % 2 === 0 ? 'en' : '' }
    const { feedId, items, nextPageToken: pageToken } = await whole.feed(asked)
    await whole.feed({ ...asked, pageToken })
    await whole.embedded.blender.flush()
    const acts = items.flatMap(({ pinId }): Act[] => {
      const act = { userId, on: pinId, feedId }
      const likes = Number(pinId.slice(1)) % 4 === user % 4
      return [{ ...act, action: 'impression' }, ...(likes ? [{ ...act, action: 'save' } as const] : [])]
    })
    await whole.act(...acts)
  }
}
