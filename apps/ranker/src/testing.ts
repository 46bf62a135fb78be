import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { encodePinFeatures } from '@freshet/contracts/codecs/pin-state'
import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import type { RankRequest, RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { unrestrictedPin, type Pin } from '@freshet/domain/pin'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { anEngagement, aPin, noonMs } from '@freshet/domain/testing'
import { foldUser, newUserState } from '@freshet/domain/user-state'
import { openModelSlot } from '@freshet/ranking/model/slot'
import { specFileSource } from '@freshet/ranking/model/spec-file'
import type { ModelSource } from '@freshet/ranking/serving/serving-model'
import { jsonSpecFile } from '@freshet/ranking/spec/spec'
import { chooseBackend, type BackendChoice } from '@freshet/ranking/tensor/backend'
import { rankerSchema, type RankerConfig } from './config.ts'
import { createRanker, type RankerOptions } from './ranker.ts'

/** A ranker over a log in memory, in virtual time; `catalogue(n)` fills its views. The spec in JSON scores, which needs no training. */
export async function aRanker(
  given: Partial<RankerConfig> = {},
  more: Partial<RankerOptions> & { readonly source?: ModelSource } = {},
) {
  await chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice)
  const clock = createVirtualClock(noonMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(2))
  const errors: Error[] = []
  const config = rankerSchema.parse({
    specFile: jsonSpecFile,
    specReloadIntervalMs: given.specFile ? 5_000 : 0,
    ...given,
  })
  const models = await openModelSlot(more.source ?? specFileSource(config.specFile))
  const ranker = createRanker({
    log,
    clock,
    config,
    models,
    artefacts: null,
    pause: () => Promise.resolve(),
    onError: (error) => errors.push(error),
    ...more,
  })
  const append = (topic: 'pins.v1' | 'pin-features.v1', key: string, value: Uint8Array | null) =>
    log.append(topic, [{ key, value, partition: null }])
  return {
    clock,
    log,
    models,
    ranker,
    errors,
    append,
    /** Pins p0 … of five topics. Users have clicked all but every third. */
    async catalogue(pins: number) {
      for (let n = 0; n < pins; n++) {
        await append('pins.v1', `p${n}`, aPinRecord(`p${n}`, n % 5))
        if (n % 3 > 0) await append('pin-features.v1', `p${n}`, aStateRecord(`p${n}`, 1 + (n % 7)))
      }
    },
    async close() {
      await ranker.stop()
      await models.close()
    },
  }
}

/** The catalogue's record of a pin of one topic and creator. */
export function aPinRecord(pinId: string, topic = 0): Uint8Array {
  const pin: Pin = {
    pinId: asId<PinId>(pinId),
    title: '',
    description: '',
    topics: [asId<TopicId>(`t${topic}`)],
    creatorId: asId<CreatorId>(`c${topic}`),
    createdAtMs: noonMs - 86_400_000,
    locale: null,
    imageUrl: null,
    visualEmbedding: null,
    ...unrestrictedPin,
  }
  return encodePinChange({ kind: 'upsert', pin })
}

/** The record of a pin with this many clicks. */
export function aStateRecord(pinId: string, clicks: number, foldedTo = 1): Uint8Array {
  const acts = Array.from({ length: clicks }, (_, at) => anEngagement({ occurredAtMs: noonMs - at * 60_000 }))
  return encodePinFeatures(pinId, foldPin(newPinState, acts), foldedTo).features
}

/** The state of a user who saved p0 and clicked p1, as the store holds it. */
function aUserState(): Uint8Array {
  const acts = [
    anEngagement({ action: 'save', subject: aPin('p0'), occurredAtMs: noonMs - 3_600_000 }),
    anEngagement({ subject: aPin('p1'), occurredAtMs: noonMs - 60_000 }),
  ]
  return encodeUserState(foldUser(newUserState, acts))
}

const none = new Uint8Array()

/** A request about p0, p1 … from a user with state. `given` replaces fields. */
export function aRequest(candidates: number, given: Partial<RankRequest> = {}): RankRequest {
  const pinIds = given.pinIds ?? Array.from({ length: candidates }, (_, n) => `p${n}`)
  return {
    userId: 'u',
    surface: Surface.HOME,
    atMs: noonMs,
    userState: aUserState(),
    retrievalScores: bytesOf(Float32Array.from(pinIds, (_, at) => 1 / (2 + at))),
    relatedToPinId: '',
    withFeatures: true,
    await: [],
    locale: '',
    sessionId: '',
    retrievalRanks: none,
    sources: [],
    foundBy: none,
    sourceRanks: none,
    sourceScores: none,
    modelVersion: '',
    headFactors: undefined,
    ...given,
    pinIds,
  }
}

/** The features of one candidate of an answer, by name. */
export function featuresOf({ featureNames, features }: RankResponse, row: number): Readonly<Record<string, number>> {
  const all = float32Column(features)
  return Object.fromEntries(featureNames.map((name, at) => [name, all[row * featureNames.length + at]!]))
}
