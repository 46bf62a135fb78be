import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { noHeaders } from '@freshet/contracts/headers'
import { asId, type PinId } from '@freshet/domain/ids'
import { pinKeysOf } from '@freshet/domain/pin-keys'
import { aCataloguePin } from '@freshet/domain/testing'
import { expect, test } from 'vitest'
import { blockWidth, createPinVectors } from './pin-vectors.ts'

type Record = readonly [topic: 'pins.v1' | 'pin-embeddings.v1', key: string, value: Uint8Array | null]

function aView(maxPins = 100) {
  const view = createPinVectors({ maxPins })
  const next = { 'pins.v1': 0, 'pin-embeddings.v1': 0 }
  const batchOf = ([topic, key, value]: Record, position: number) => ({
    ...{ topic, partition: 0, from: position, next: position + 1, end: position + 1 },
    records: [{ position, key, value, appendedAtMs: 0, headers: noHeaders }],
  })
  const rowOf = (pinId: string) => {
    const { high, low } = pinKeysOf([pinId])
    return view.rowOf(high[0]!, low[0]!)
  }
  return {
    view,
    fold: (record: Record) => view.fold(batchOf(record, next[record[0]]++)),
    again: (record: Record) => view.fold(batchOf(record, 0)),
    rowOf,
    block(pinId: string, kind: number) {
      const into = new Float32Array(blockWidth)
      if (rowOf(pinId) >= 0) view.readBlock(rowOf(pinId), kind, into, 0)
      return Array.from(into.subarray(0, 2), (value) => Math.round(value * 100) / 100)
    },
  }
}

const learned = (pinId: string, vector: readonly number[], space = 's'): Record => [
  'pin-embeddings.v1',
  pinId,
  PinEmbedding.encode(PinEmbedding.fromPartial({ pinId, vector: bytesOf(Float32Array.from(vector)), space })).finish(),
]
const seen = (pinId: string, vector: readonly number[] | null): Record => [
  'pins.v1',
  pinId,
  encodePinChange({
    kind: 'upsert',
    pin: aCataloguePin(pinId, { visualEmbedding: vector === null ? null : Float32Array.from(vector) }),
  }),
]
const deleted = (pinId: string): Record => [
  'pins.v1',
  pinId,
  encodePinChange({ kind: 'delete', pinId: asId<PinId>(pinId) }),
]

test('a pin has a block of length 1 for each embedding', () => {
  const { fold, block, rowOf } = aView()
  fold(learned('a', [3, 4]))
  fold(seen('a', [0, 2]))
  fold(seen('b', null))
  expect(block('a', 0)).toEqual([0.6, 0.8])
  expect(block('a', 1)).toEqual([0, 1])
  expect(rowOf('b')).toBe(-1)
})

test('an embedding of an older space is not compared', () => {
  const { fold, block, view, rowOf } = aView()
  fold(learned('a', [3, 4], 'old'))
  fold(learned('b', [1, 0], 'new'))
  expect(block('a', 0)).toEqual([0, 0])
  expect(view.clusterOf(rowOf('a'))).toBe(0)
  fold(learned('a', [0, 1], 'new'))
  expect(block('a', 0)).toEqual([0, 1])
})

test('pictures are compared in the width that most of them have', () => {
  const { fold, block } = aView()
  fold(seen('a', [0, 2]))
  fold(seen('b', [2, 0]))
  fold(seen('odd', [1, 1, 1]))
  expect([block('a', 1), block('odd', 1)]).toEqual([
    [0, 1],
    [0, 0],
  ])
  fold(seen('a', null))
  fold(seen('b', [1, 1, 1]))
  expect(block('odd', 1)).toEqual([0.58, 0.58])
})

test('pins with similar vectors share a cluster, others do not', () => {
  const { fold, view, rowOf } = aView()
  fold(learned('a', [3, 4, -1]))
  fold(learned('b', [4, 3, -2]))
  fold(learned('c', [-3, -4, 1]))
  const cluster = (pinId: string) => view.clusterOf(rowOf(pinId))
  expect(cluster('a')).toBe(cluster('b'))
  expect(cluster('a')).not.toBe(cluster('c'))
})

test('a row is reused when its pin has no vector any more, and a record is folded once', () => {
  const { fold, again, view, rowOf, block } = aView(1)
  fold(learned('a', [1, 0]))
  fold(learned('b', [1, 0]))
  expect(view.stats()).toMatchObject({ vectors: 1, refused: 1 })
  fold(['pin-embeddings.v1', 'a', null])
  expect(view.stats().vectors).toBe(0)
  fold(learned('b', [1, 0]))
  again(learned('b', [0, 1]))
  expect(block('b', 0)).toEqual([1, 0])
  fold(seen('b', [0, 1]))
  fold(deleted('b'))
  expect(rowOf('b')).toBe(-1)
  fold(seen('c', [1, 0]))
  expect([block('c', 0), block('c', 1)]).toEqual([
    [0, 0],
    [1, 0],
  ])
})

test('a record that cannot be read is counted and changes nothing', () => {
  const { fold, view } = aView()
  fold(['pin-embeddings.v1', 'a', Uint8Array.of(0xff, 0xff)])
  fold(learned('b', [NaN, 1]))
  fold(learned('c', [0, 0]))
  expect(view.stats()).toMatchObject({ vectors: 0, refused: 1 })
})
