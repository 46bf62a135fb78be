import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { encodePinFeatures } from '@freshet/contracts/codecs/pin-state'
import { noHeaders } from '@freshet/contracts/headers'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { unrestrictedPin } from '@freshet/domain/pin'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { anEngagement, noonMs } from '@freshet/domain/testing'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import { createPinFacts } from '../../apps/blender/src/pin-facts.ts'
import { createPinVectors } from '../../apps/blender/src/pin-vectors.ts'
import { createRankerViews } from '../../apps/ranker/src/views.ts'
import { chartFolder, ciValues, needed, render, set, variablesOf } from './rendered.ts'

describe('memory', () => {
  it('the caps of the ranker and the blender follow from their limits, and do not exceed the defaults', () => {
    expect(variablesOf('ranker', needed)).toMatchObject({
      // (2 GiB − 256 MiB) / 1,200 bytes.
      FRESHET_RANKING_MAX_PINS: '1565873',
      NODE_OPTIONS: '--max-old-space-size=1536',
    })
    expect(variablesOf('ranker', ciValues('development'))['FRESHET_RANKING_MAX_PINS']).toBe('223696')
    const large = variablesOf('ranker', set('services.ranker.resources.limits.memory=64Gi'))
    expect(large).toMatchObject({ FRESHET_RANKING_MAX_PINS: '4000000', NODE_OPTIONS: '--max-old-space-size=49152' })
    expect(variablesOf('blender', needed)).toMatchObject({
      FRESHET_BLENDER_MAX_PINS: '1342177',
      FRESHET_BLENDER_MAX_PIN_VECTORS: '1006632',
      FRESHET_BLENDER_MAX_PIN_CARD_BYTES: '201326592',
    })
  })

  it('a service without a limit has its own defaults', () => {
    const env = variablesOf('ranker', set('services.ranker.resources.limits=null'))
    expect(Object.keys(env).filter((name) => /MAX_PINS|NODE_OPTIONS/.test(name))).toEqual([])
  })

  it.each([
    ['a cap of the ranker', ['services.ranker.config.RANKING_MAX_PINS=4000000'], /services\.ranker\.resources\.limits\.memory is 2Gi, but the caps need 4834 MiB \(services\.ranker\.config: RANKING_MAX_PINS\); raise the limit, or leave the caps out/],
    ['a cap of the blender', ['services.blender.config.BLENDER_MAX_PIN_CARD_BYTES=1000000000'], /services\.blender\.resources\.limits\.memory is 1Gi.*BLENDER_MAX_PIN_CARD_BYTES/],
    ['a limit that no process fits in', ['services.ranker.resources.limits.memory=200Mi'], /none is set, the limit is less than an empty process needs/],
  ])('refuses %s that the limit does not hold', (_name, values, message) => {
    expect(() => render(set(...values))).toThrow(message)
  })

  it('takes a cap that the limit holds', () => {
    expect(variablesOf('ranker', set('services.ranker.config.RANKING_MAX_PINS=1000000'))['FRESHET_RANKING_MAX_PINS']).toBe('1000000')
  })
})

/** Bytes of the heap and of buffers, after what is no longer needed was freed. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Buffers go only after the objects that held them.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Mean bytes of a pin once there are enough, counted over a doubling, because tables double. */
function bytesOfPin(fold: (first: number, count: number) => void): number {
  const pins = 20_000
  fold(0, pins)
  const before = usedBytes()
  fold(pins, pins)
  return (usedBytes() - before) / pins
}

const states = [1, 3, 10, 30].map((clicks) => foldPin(newPinState, Array.from({ length: clicks }, () => anEngagement())))

function pinRecord(n: number): Uint8Array {
  const pinId = asId<PinId>(`a-pin-with-an-id-${n}`)
  const texts = { title: `A title of pin ${n} of some words`, description: 'What it shows, in about sixty letters, as most pins have', imageUrl: `https://images.example.org/${n}.jpg` }
  const topics = [asId<TopicId>(`t${n % 50}`), asId<TopicId>(`t${n % 70}`)]
  return encodePinChange({ kind: 'upsert', pin: { ...unrestrictedPin, ...texts, pinId, topics, creatorId: asId<CreatorId>(`c${n % 20_000}`), locale: 'en', createdAtMs: noonMs, visualEmbedding: Float32Array.from({ length: 32 }, (_, i) => Math.sin(n + i)) } })
}

function batchOf(topic: TopicName, first: number, count: number, valueOf: (n: number) => Uint8Array): LogBatch {
  const records = Array.from({ length: count }, (_, i) => ({ position: first + i, key: `a-pin-with-an-id-${first + i}`, value: valueOf(first + i), appendedAtMs: noonMs, headers: noHeaders }))
  return { topic, partition: 0, from: first, next: first + count, end: first + count, records }
}

describe('bytes of a pin, by which the chart computes the caps', () => {
  const costs = parse(/"freshet.memory.costs" -}}\n([^{]*\{.*\}\n[^{]*\{.*\}\n)/.exec(readFileSync(join(chartFolder, 'templates/_memory.tpl'), 'utf8'))![1]!) as Record<'ranker' | 'blender', { pin: number; vector: number }>

  it('of the ranker: catalogue and state', () => {
    const views = createRankerViews({ maxPins: 1_000_000, maxDecodedStates: 1_000 })
    const bytes = bytesOfPin((first, count) => {
      views.fold(batchOf('pins.v1', first, count, pinRecord))
      views.fold(batchOf('pin-features.v1', first, count, (n) => encodePinFeatures(`a-pin-with-an-id-${n}`, states[n % states.length]!, 1).features))
    })
    expect(views.stats()).toMatchObject({ pins: 40_000, states: 40_000 })
    expect(bytes).toBeLessThan(costs.ranker.pin)
    expect(bytes).toBeGreaterThan(costs.ranker.pin / 3)
  })

  it('of the blender: what filters know, and vectors, also right after their tables have doubled', () => {
    const pins = (1 << 14) + 1
    const batch = batchOf('pins.v1', 0, pins, pinRecord)
    const [facts, vectors] = [createPinFacts({ maxPins: 1_000_000 }), createPinVectors({ maxPins: 1_000_000 })]
    facts.fold(batch)
    vectors.fold(batch)
    expect([facts.stats().pins, vectors.stats().vectors]).toEqual([pins, pins])
    for (const [{ bytes }, cost] of [[facts.stats(), costs.blender.pin], [vectors.stats(), costs.blender.vector]] as const) {
      expect(bytes / pins).toBeLessThan(cost)
      expect(bytes / pins).toBeGreaterThan(cost / 2)
    }
  })
})
