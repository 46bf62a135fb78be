import { clearColumn } from '@freshet/columns/clear-column'
import { hash32, mix32 } from '@freshet/domain/hash'
import { isHeldOut } from '@freshet/domain/held-out'
import type { PinId } from '@freshet/domain/ids'
import type { PinChange } from '@freshet/domain/pin'

import { SnapshotError } from '@freshet/columns/errors'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import { createAdmission } from './admission.ts'
import { createContentMap, normalise } from './content-map.ts'
import { createPinRows, maxPinRows } from './pin-rows.ts'
import { createReplay } from './replay.ts'
import { createSessionWindows } from './session-windows.ts'
import { createSkipGramMemory } from './skip-gram-memory.ts'

/** The hyperparameters and caps of the model. */
export interface Pin2VecOptions {
  /** A multiple of 4, up to 512. */
  readonly dimensions: number
  /** The most pins with a row; beyond that, of the next few rows in turn the one idle for longest goes. */
  readonly maxPins: number
  readonly maxSessions: number
  /** The pause after which a user's next action begins a new session, for events without a session id. */
  readonly sessionGapMs: number
  /** How many earlier pins of the session a pin is paired with; a pair d steps apart weighs 1/d. */
  readonly window: number
  /** Negative samples for each pair, drawn by decayed popularity. */
  readonly negatives: number
  /** How many of the latest engagements negatives are drawn from. */
  readonly maxRecent: number
  /** The learning rate of Adagrad, with one accumulator for each row. */
  readonly learningRate: number
  /** How many earlier pairs are learned again at each engagement, drawn from the latest `maxReplay`. */
  readonly replays: number
  readonly maxReplay: number
  /** The number of engagements after which a pin gets its own embedding. */
  readonly admitAfter: number
  /** A pin that nobody has touched for this long loses its embedding, milliseconds. */
  readonly expireAfterMs: number
  /** A row is handed out once it has moved this many times its length: often while it is young, seldom later. */
  readonly publishAfterMove: number
  readonly seed: number
}

/** One set of defaults for all data. */
const pin2VecDefaults: Pin2VecOptions = {
  dimensions: 64,
  maxPins: 2_000_000,
  maxSessions: 500_000,
  sessionGapMs: 30 * 60_000,
  window: 8,
  negatives: 5,
  maxRecent: 1 << 17,
  learningRate: 0.07,
  replays: 4,
  maxReplay: 1 << 17,
  admitAfter: 2,
  expireAfterMs: 60 * 86_400_000,
  publishAfterMove: 0.8,
  seed: 1,
}

/** A row of `pin-embeddings.v1`: a unit vector, or null if the embedding is withdrawn. */
export interface PinEmbedding {
  readonly pinId: PinId
  readonly vector: Float32Array | null
}

/** A positive action on a pin. */
export interface PinAction {
  readonly userId: string
  readonly sessionId: string | null
  readonly pinId: PinId
  readonly atMs: number
}

/**
 * Streaming Pin2Vec: skip-gram with negative sampling over the pins of sessions. A held-out action is not paired
 * with those before it, see `isHeldOut`. A pure function of what was folded and the seed; a
 * checkpoint continues bit-equal.
 */
export interface Pin2Vec {
  readonly dimensions: number
  /** Pins with a row, and pairs learned so far. */
  readonly pins: number
  readonly pairs: number
  /** Described pins that found no row. */
  readonly refused: number
  fold(action: PinAction): void
  /** Forgets a user's latest actions, so that no later action is paired with them. */
  forgetUser(userId: string): void
  /**
   * Takes back a save: later pins of that session are not paired with the pin, and its earlier pairs are not replayed. What
   * the model has already learned stays.
   */
  withdraw(action: PinAction): void
  /** Stores a pin's description. Until users touch the pin, its embedding is predicted from the description. */
  foldPin(change: PinChange): void
  /** Takes the rows that have changed since they were last taken, in the order of their changes. */
  takeTouched(maxRows: number): readonly PinEmbedding[]
  /** Returns rows that could not be published: they will be taken again with their values at that time. */
  putBack(taken: readonly PinEmbedding[]): void
  /** The unit vector of a pin; null if it has none. */
  embeddingOf(pinId: string): Float32Array | null
  bytes(): number
  /** Everything, with the caller's log positions inside. */
  checkpoint(positions: Uint8Array): Uint8Array
  /** Restores a checkpoint and returns its positions. If it throws a SnapshotError, create a new model. */
  restore(bytes: Uint8Array): Uint8Array
}

/** Rows looked at after each engagement, in turn: idle ones expire, untouched ones follow the content map. */
const sweptRows = 4
const evictionSample = 64
const contentRate = 0.2
/** Cosine below which a described pin's new place is worth handing out: 18 degrees. */
const sameCosine = 0.95

/** A model that has learned nothing. Throws a RangeError for dimensions or caps that can't be. */
export function createPin2Vec(given: Partial<Pin2VecOptions> = {}): Pin2Vec {
  const options: Pin2VecOptions = { ...pin2VecDefaults, ...given }
  const { dimensions, maxPins, window, negatives, maxRecent, learningRate, replays, seed } = options
  if (maxPins > maxPinRows) throw new RangeError(`maxPins is ${maxPins}; at most ${maxPinRows}`)
  if (window > 255) throw new RangeError(`window is ${window}; at most 255`)
  const memory = createSkipGramMemory({ dimensions, maxPins, maxRecent, maxPairs: 2 * (window + replays) })
  const { kernel, table } = memory
  const rows = createPinRows(maxPins)
  const admission = createAdmission({ rotationMs: options.expireAfterMs })
  const windows = createSessionWindows({ ...options, width: window })
  const content = createContentMap({ dimensions, maxPins, rate: contentRate })
  const replay = createReplay(options.maxReplay)
  const place = new Float32Array(dimensions)
  let withdrawn: PinId[] = []
  let queueHead = 0
  let hand = 0
  let events = 0
  let recentCount = 0
  let pairs = 0
  let refused = 0
  let nowMs = -Infinity

  const vectorAt = (row: number): Float32Array => table.subarray(row * dimensions, (row + 1) * dimensions)

  function release(row: number): void {
    withdrawn.push(rows.pinIdOf(row))
    content.forget(row)
    rows.release(row)
  }

  // Pins that nobody has touched are idle for ever, so they go first.
  function evictOne(): void {
    let idlest = -1
    for (let i = 0; i < evictionSample; i++) {
      hand = hand + 1 >= rows.limit ? 0 : hand + 1
      if (rows.stateOf(hand) !== 'free' && (idlest < 0 || rows.lastAtMs(hand) < rows.lastAtMs(idlest))) idlest = hand
    }
    if (idlest >= 0) release(idlest)
  }

  /** The row of a pin that is learned, or has just become so; else -1. */
  function admitted(pinId: PinId, atMs: number): number {
    const known = rows.rowOf(pinId)
    if (known >= 0 && rows.stateOf(known) === 'learned') return known
    if (options.admitAfter > 1 && admission.count(pinId, atMs) < options.admitAfter) return -1
    let row = known
    if (row < 0) row = rows.take(pinId)
    if (row < 0) {
      evictOne()
      row = rows.take(pinId)
    }
    begin(row, pinId)
    return row
  }

  function begin(row: number, pinId: PinId): void {
    const isPlaced = content.isDescribed(row) && content.place(row, place)
    const start = hash32(pinId, seed)
    for (let i = 0; i < dimensions; i++) {
      const noise = (mix32(start + i) / 2 ** 32 - 0.5) / Math.sqrt(dimensions)
      table[row * dimensions + i] = noise + (isPlaced ? 0.5 * place[i]! : 0)
    }
    memory.squares[row] = 0
    memory.moves[row] = 0
    rows.setState(row, 'learned')
  }

  function pair(index: number, a: number, b: number, weight: number): number {
    memory.pairRows[index * 3] = a
    memory.pairRows[index * 3 + 1] = b
    memory.pairWeights[index * 3 + 2] = weight
    memory.pairRows[index * 3 + 3] = b
    memory.pairRows[index * 3 + 4] = a
    memory.pairWeights[index * 3 + 5] = weight
    return index + 2
  }

  /** Writes where a described pin belongs into its row and queues it, where that is news. */
  function settle(row: number): void {
    if (!content.place(row, place)) return
    let cosine = 0
    for (let i = 0; i < dimensions; i++) cosine += place[i]! * table[row * dimensions + i]!
    if (cosine >= sameCosine) return
    vectorAt(row).set(place)
    kernel.enqueue(row)
  }

  /** One training example for the content map: where the pin that was just touched is. */
  function teach(row: number): void {
    if (!content.isDescribed(row)) return
    place.set(vectorAt(row))
    if (normalise(place, 0, dimensions)) content.learn(row, place)
  }

  function sweep(): void {
    for (let i = Math.min(sweptRows, rows.limit); i > 0; i--) {
      hand = hand + 1 >= rows.limit ? 0 : hand + 1
      const state = rows.stateOf(hand)
      if (state === 'known') settle(hand)
      if (state !== 'learned' || nowMs - rows.lastAtMs(hand) < options.expireAfterMs) continue
      if (!content.isDescribed(hand)) {
        release(hand)
        continue
      }
      rows.setState(hand, 'known')
      vectorAt(hand).fill(0)
      settle(hand)
    }
  }

  function embeddingAt(row: number): Float32Array | null {
    const vector = vectorAt(row).slice()
    return normalise(vector, 0, dimensions) ? vector : null
  }

  return {
    dimensions,
    get pins() {
      return rows.size
    },
    get pairs() {
      return pairs
    },
    get refused() {
      return refused
    },
    fold(action) {
      const { pinId, atMs } = action
      nowMs = Math.max(nowMs, atMs)
      events++
      sweep()
      const row = admitted(pinId, atMs)
      if (row < 0) return
      rows.touch(row, atMs)
      const session = windows.open(action)
      const ticket = rows.ticketOf(row)
      let count = 0
      const context = isHeldOut(action) ? 0 : windows.lengthOf(session)
      for (let distance = 1; distance <= context; distance++) {
        const other = windows.ticketAt(session, distance)
        const otherRow = rows.rowOfTicket(other)
        if (otherRow < 0 || otherRow === row) continue
        count = pair(count, row, otherRow, 1 / distance)
        replay.push(other, ticket, 1 / distance)
      }
      windows.push(session, ticket)
      for (let i = 0; i < replays && replay.size > 0; i++) {
        const drawn = mix32(seed + events * 31 + i) % replay.size
        const a = rows.rowOfTicket(replay.first(drawn))
        const b = rows.rowOfTicket(replay.second(drawn))
        if (a >= 0 && b >= 0) count = pair(count, a, b, replay.weight(drawn))
      }
      if (recentCount > 0 && count > 0) {
        const drawn = Math.min(recentCount, maxRecent)
        kernel.train(count, negatives, drawn, learningRate, options.publishAfterMove, mix32(seed ^ events), events)
        pairs += count
      }
      memory.recent[recentCount % maxRecent] = row
      recentCount++
      teach(row)
    },
    forgetUser: (userId) => {
      windows.forget(userId)
    },
    withdraw(action) {
      const row = rows.rowOf(action.pinId)
      if (row < 0) return
      const ticket = rows.ticketOf(row)
      const window = windows.find(action)
      if (window < 0) return
      for (const before of windows.blank(window, ticket)) replay.remove(before, ticket)
    },
    foldPin(change) {
      const pinId = change.kind === 'upsert' ? change.pin.pinId : change.pinId
      const known = rows.rowOf(pinId)
      if (change.kind === 'delete') {
        if (known >= 0) release(known)
        return
      }
      const row = known >= 0 ? known : rows.take(pinId)
      if (row < 0) {
        refused++
        return
      }
      if (known < 0) vectorAt(row).fill(0)
      content.describe(row, change.pin)
      if (rows.stateOf(row) === 'known') settle(row)
    },
    takeTouched(maxRows) {
      const touched: PinEmbedding[] = []
      for (const pinId of withdrawn.splice(0, maxRows)) {
        if (rows.rowOf(pinId) < 0) touched.push({ pinId, vector: null })
      }
      for (const tail = kernel.queueTail(); queueHead !== tail && touched.length < maxRows;) {
        const row = memory.queue[queueHead]!
        queueHead = queueHead + 1 === memory.queue.length ? 0 : queueHead + 1
        memory.waiting[row] = 0
        memory.moves[row] = 0
        const state = rows.stateOf(row)
        if (state === 'free') continue
        const vector = embeddingAt(row)
        if (vector === null) continue
        touched.push({ pinId: rows.pinIdOf(row), vector })
      }
      return touched
    },
    putBack(taken) {
      for (const { pinId, vector } of taken) {
        const row = rows.rowOf(pinId)
        if (row >= 0) kernel.enqueue(row)
        else if (vector === null) withdrawn.push(pinId)
      }
    },
    embeddingOf(pinId) {
      const row = rows.rowOf(pinId)
      return row < 0 ? null : embeddingAt(row)
    },
    bytes() {
      const perPin = dimensions * 4 + 4 + 4 + 1 + 4
      const columns = rows.limit * perPin + Math.min(recentCount, maxRecent) * 4
      return columns + rows.bytes() + admission.bytes + windows.bytes + content.bytes(rows.limit) + replay.bytes
    },
    checkpoint(positions) {
      return encodeSnapshot((writer) => {
        const { limit } = rows
        writer.json('options', JSON.stringify(options))
        writer.u8('positions', positions)
        writer.json('counters', { hand, events, recentCount, pairs, refused })
        writer.f64('nowMs', Float64Array.of(nowMs))
        writer.json('withdrawn', withdrawn)
        writer.f32('table', table.subarray(0, limit * dimensions))
        writer.f32('squares', memory.squares.subarray(0, limit))
        writer.f32('moves', memory.moves.subarray(0, limit))
        writer.u8('waiting', memory.waiting.subarray(0, limit))
        writer.u32('queue', queued())
        writer.u32('recent', memory.recent.subarray(0, Math.min(recentCount, maxRecent)))
        rows.save(writer.under('rows'))
        admission.save(writer.under('admission'))
        windows.save(writer.under('windows'))
        content.save(writer.under('content'), limit)
        replay.save(writer.under('replay'))
      })
    },
    restore(bytes) {
      const reader = decodeSnapshot(bytes)
      if (reader.json('options') !== JSON.stringify(options)) {
        throw new SnapshotError('SNAPSHOT_OTHER_CONFIG', 'the checkpoint was made with other options')
      }
      const counters = reader.json('counters') as Record<
        'hand' | 'events' | 'recentCount' | 'pairs' | 'refused',
        number
      >
      const queue = reader.u32('queue')
      ;({ hand, events, recentCount, pairs, refused } = counters)
      nowMs = reader.f64('nowMs')[0] ?? -Infinity
      withdrawn = reader.json('withdrawn') as PinId[]
      queueHead = 0
      memory.queue.set(queue)
      kernel.setQueueTail(queue.length)
      table.set(reader.f32('table'))
      memory.squares.set(reader.f32('squares'))
      memory.moves.set(reader.f32('moves'))
      clearColumn(memory.waiting)
      memory.waiting.set(reader.u8('waiting'))
      memory.recent.set(reader.u32('recent'))
      rows.load(reader.under('rows'))
      admission.load(reader.under('admission'))
      windows.load(reader.under('windows'))
      content.load(reader.under('content'))
      replay.load(reader.under('replay'))
      return reader.u8('positions')
    },
  }

  /** The rows that wait, first one first. */
  function queued(): Uint32Array {
    const { queue } = memory
    const tail = kernel.queueTail()
    const length = (tail - queueHead + queue.length) % queue.length
    return Uint32Array.from({ length }, (_, i) => queue[(queueHead + i) % queue.length]!)
  }
}
