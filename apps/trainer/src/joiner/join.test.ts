import type { Action } from '@freshet/domain/engagement'
import { hash53 } from '@freshet/domain/hash'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noCounts } from './counts.ts'
import { createJoin, type JoinOutcome } from './join.ts'
import { actionNames, expectedRows, type ExpectedRow } from './reference.fixture.ts'
import type { PinAction, ServedFeed, WaitingFeed } from './waiting-feed.ts'

const limits = { windowMs: 100, deliveryMs: 10, lateWindowMs: 60, maxFeeds: 1_000, maxActions: 1_000 }

/** A record of one of four partitions: feeds of user u0 or u1, actions of user u0 or u1. */
type Entry = { readonly line: number } & ({ readonly feed: ServedFeed } | { readonly act: PinAction })

const times = fc.integer({ min: 0, max: 400 })
const delays = fc.constantFrom(0, 1, 9, 10, 60, 200)
const feedIds = ['f0', 'f1', 'f2', 'f3'] as const
/** What the feeds showed: f0 and f2 to user u0, f1 and f3 to u1. */
const someSlates = fc.array(
  fc.record({
    atMs: times,
    pinIds: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    // A record may come again.
    delays: fc.array(delays, { minLength: 1, maxLength: 2 }),
  }),
  { maxLength: feedIds.length },
)
const anAct = fc.record({
  user: fc.constantFrom(0, 1),
  feedId: fc.constantFrom('', ...feedIds, 'f9'),
  pinId: fc.constantFrom('a', 'b', 'c'),
  action: fc.constantFrom<Action>('impression', 'click', 'save', 'hide'),
  atMs: times,
  delayMs: delays,
})

/** Four partitions of records, each in the order of arrival, and an interleaving of them. */
const logs = fc
  .record({ slates: someSlates, acts: fc.array(anAct, { maxLength: 12 }), order: fc.infiniteStream(fc.nat(3)) })
  .map(({ slates, acts, order }) => {
    const lines: Entry[][] = [[], [], [], []]
    slates.forEach(({ atMs, pinIds, delays: arrivals }, at) => {
      for (const delayMs of arrivals) {
        const feed = { feedId: feedIds[at]!, userId: `u${at % 2}`, atMs, pinIds, arrivedMs: atMs + delayMs }
        lines[at % 2]!.push({ line: at % 2, feed })
      }
    })
    for (const { user, atMs, delayMs, ...fields } of acts) {
      const act = { ...fields, userId: `u${user}`, dwellMs: null, occurredAtMs: atMs, arrivedMs: atMs + delayMs }
      lines[2 + user]!.push({ line: 2 + user, act })
    }
    for (const line of lines) line.sort((a, b) => arrivedMs(a) - arrivedMs(b))
    return { lines, order }
  })

const arrivedMs = (entry: Entry): number => ('feed' in entry ? entry.feed : entry.act).arrivedMs

type Log = typeof logs extends fc.Arbitrary<infer Value> ? Value : never

/** Feeds the join in the order of the interleaving, and advances it as far as all partitions were read. */
function run({ lines, order }: Log, restartEvery: number) {
  const counts = noCounts()
  let join = createJoin(limits, counts)
  const outcomes: JoinOutcome[] = []
  const heads = [0, 0, 0, 0]
  const readTo = lines.map((line) => (line.length === 0 ? Infinity : -Infinity))
  let steps = 0
  const drain = (): void => {
    for (let outcome = join.next(); outcome !== undefined; outcome = join.next()) {
      outcomes.push(structuredClone(outcome))
      join.taken()
    }
  }
  for (const pick of order) {
    const open = lines.map((line, at) => ({ line, at })).filter(({ line, at }) => heads[at]! < line.length)
    if (open.length === 0) break
    const { line, at } = open[pick % open.length]!
    const entry = line[heads[at]!++]!
    if ('feed' in entry) join.serve(entry.feed)
    else join.act(entry.act, at)
    readTo[at] = heads[at]! < line.length ? arrivedMs(entry) : Infinity
    // An empty log is read to its end, but more may come: only the clock can advance it.
    join.advance(Math.min(...readTo, 10_000))
    drain()
    if (++steps % restartEvery === 0) {
      const saved = JSON.stringify(join.save())
      join = createJoin(limits, counts)
      join.load(JSON.parse(saved) as ReturnType<typeof join.save>)
    }
  }
  join.advance(10_000)
  drain()
  return { outcomes, counts, waiting: join.waiting() }
}

/** The join keeps only hashes of pin ids. */
function idsOf({ pinHashes }: WaitingFeed): readonly string[] {
  return pinHashes.map((hash) => ['a', 'b', 'c'].find((id) => hash53(id) === hash)!)
}

function rowsOf(outcomes: readonly JoinOutcome[]): ReadonlyMap<string, ExpectedRow> {
  const rows = new Map<string, { first: readonly string[]; last: readonly string[]; corrections: number }>()
  for (const outcome of outcomes) {
    const { feed } = outcome
    if (outcome.kind === 'closed') {
      idsOf(feed).forEach((pinId, pin) => {
        const names = actionNames(outcome.labels[pin]?.bits ?? 0)
        const key = `${feed.feedId} ${pinId}`
        expect(rows.has(key), `${key} is closed once`).toBe(false)
        rows.set(key, { first: names, last: names, corrections: 0 })
      })
    } else if (outcome.kind === 'corrected') {
      const row = rows.get(`${feed.feedId} ${idsOf(feed)[outcome.pin]!}`)!
      row.last = actionNames(outcome.labels.bits)
      expect(outcome.revision).toBe(++row.corrections)
    }
  }
  return rows
}

describe('the join', () => {
  it('makes the rows of the law, however partitions interleave and whenever it restarts', () => {
    fc.assert(
      fc.property(logs, fc.integer({ min: 1, max: 20 }), (log, restartEvery) => {
        const { outcomes, counts, waiting } = run(log, restartEvery)
        const entries = log.lines.flat()
        const feeds = entries.flatMap((entry) => ('feed' in entry ? [entry.feed] : []))
        const acts = entries.flatMap((entry) => ('act' in entry ? [entry.act] : []))
        const expected = expectedRows(feeds, acts, limits)
        expect(rowsOf(outcomes)).toEqual(expected.rows)
        const { matched, late, unmatched, dropped, positions } = counts
        const left = Object.values(unmatched).reduce((sum, count) => sum + count, 0)
        expect({ matched, late, left }).toEqual({
          matched: expected.matched,
          late: expected.late,
          left: expected.unmatched,
        })
        expect(dropped.repeated + dropped.expired).toBe(expected.repeatedPositions)
        expect(positions).toBe(feeds.reduce((sum, { pinIds }) => sum + pinIds.length, 0))
        expect(waiting).toEqual({ feeds: 0, positions: 0, actions: 0 })
      }),
      { numRuns: 500 },
    )
  })

  const feed = (given: Partial<ServedFeed> = {}): ServedFeed => ({
    feedId: 'f',
    userId: 'u',
    atMs: 0,
    arrivedMs: 1,
    pinIds: ['a', 'b'],
    ...given,
  })
  const act = (given: Partial<PinAction> = {}): PinAction => ({
    feedId: 'f',
    userId: 'u',
    pinId: 'a',
    action: 'click',
    dwellMs: null,
    occurredAtMs: 5,
    arrivedMs: 5,
    ...given,
  })
  const start = (given: Partial<typeof limits> = {}) => {
    const counts = noCounts()
    const join = createJoin({ ...limits, ...given }, counts)
    const kinds = (): string[] => {
      const found: string[] = []
      for (let next = join.next(); next !== undefined; next = join.next()) {
        found.push(`${next.kind} ${next.feed.feedId}`)
        join.taken()
      }
      return found
    }
    return { counts, join, kinds }
  }

  it.each([
    ['names no feed that was served', { feedId: 'other' }, 'feed-unknown'],
    ['is of another user', { userId: 'v' }, 'other-user'],
    ['names a pin that the feed did not show', { pinId: 'z' }, 'pin-not-shown'],
    ['comes after the late window', { arrivedMs: 170 }, 'feed-unknown'],
  ] as const)('counts an action that %s', (_, given, reason) => {
    const { join, counts } = start()
    join.serve(feed())
    join.act(act(given), 0)
    join.advance(1_000)
    expect(counts.unmatched[reason]).toBe(1)
    expect(counts.matched + counts.late).toBe(0)
  })

  it('keeps the longest look', () => {
    const { join } = start()
    join.serve(feed())
    for (const dwellMs of [3_000, 9_000, 1_000]) join.act(act({ dwellMs }), 0)
    join.advance(200)
    expect(join.next()).toMatchObject({ kind: 'closed', labels: { 0: { dwellMs: 9_000 } } })
  })

  it('A26: drops the feeds and actions of an erased user, and those whose records come later', () => {
    const { join, counts, kinds } = start()
    join.serve(feed())
    join.act(act({ feedId: '' }), 0)
    join.forgetUser('u', 6)
    join.serve(feed({ feedId: 'g', arrivedMs: 6 }))
    join.serve(feed({ feedId: 'h', arrivedMs: 7 }))
    join.advance(1_000)
    expect(kinds()).toEqual(['forgotten f', 'closed h', 'forgotten h'])
    expect(counts.dropped.erased).toBe(4)
    expect(counts.unmatched.erased).toBe(1)
  })

  it('closes the oldest window early beyond maxFeeds, and leaves out the oldest action beyond maxActions', () => {
    const { join, counts, kinds } = start({ maxFeeds: 2, maxActions: 1 })
    join.serve(feed({ feedId: 'f' }))
    join.serve(feed({ feedId: 'g', atMs: 1 }))
    join.serve(feed({ feedId: 'h', atMs: 2, arrivedMs: 2 }))
    expect(kinds()).toEqual(['closed f', 'forgotten f'])
    expect(counts.closedEarly).toBe(1)
    join.act(act({ feedId: 'x' }), 0)
    join.act(act({ feedId: 'y' }), 0)
    expect(counts.unmatched.crowded).toBe(1)
    expect(join.waiting().actions).toBe(1)
  })
})
