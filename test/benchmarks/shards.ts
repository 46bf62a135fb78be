import type { Engagement } from '@freshet/domain/engagement'
import { mix32 } from '@freshet/domain/hash'
import { asId, type EventId, type PinId, type SessionId, type UserId } from '@freshet/domain/ids'
import { gatherIndex } from '@freshet/retrieval/neighbours/gathering'
import type { IndexShard } from '@freshet/retrieval/neighbours/list-part'
import type { RetrieveQuery } from '@freshet/retrieval/question'
import { createRetrieval, type Retrieval } from '@freshet/retrieval/retrieval'
import { cpuMsNow, median, type Bench } from './bench.ts'
import { comparedRow, plainRow, type BenchRow } from './row.ts'

const pinsPerTaste = 100
const stepMs = 1_000
const startMs = Date.UTC(2026, 0, 1)

interface Size {
  readonly actions: number
  readonly users: number
  readonly pins: number
}

/** What one shard of 1, 2, 4 and 8 holds of the neighbour index, and what a request costs where it is gathered. */
export async function shardRows(bench: Bench): Promise<BenchRow[]> {
  const size = bench.quick
    ? { actions: 20_000, users: 1_000, pins: 2_000 }
    : { actions: 1_000_000, users: 50_000, pins: 100_000 }
  return [...weightRows(bench, size), ...(await costRows(bench, { ...size, actions: size.actions / 5 }))]
}

function weightRows(bench: Bench, size: Size): BenchRow[] {
  const rows: BenchRow[] = []
  const note = `${size.actions} clicks of ${size.users} users on ${size.pins} pins, in sessions of about 5; the first shard, trails and sessions with their inverted indexes`
  let whole = 0
  for (const count of [1, 2, 4, 8]) {
    bench.say(`shards: one of ${count}`)
    const { bytes } = filled(size, 0, count).stats()
    const [trails, sessions] = [bytes['trails'] ?? NaN, bytes['sessions'] ?? NaN]
    const index = trails + sessions
    const name = `neighbour index, one of ${count} shard${count === 1 ? '' : 's'}`
    rows.push(plainRow(`${name}, trails`, trails / 2 ** 20, 'MiB', '', note))
    rows.push(plainRow(`${name}, sessions`, sessions / 2 ** 20, 'MiB', '', note))
    if (count === 1) {
      whole = index
      rows.push(plainRow('neighbour index, whole', index / 2 ** 20, 'MiB', '', note))
      rows.push(plainRow('catalogue, on each shard', (bytes['catalogue'] ?? NaN) / 2 ** 20, 'MiB', '', note))
      rows.push(plainRow('graph, on each shard', (bytes['graph'] ?? NaN) / 2 ** 20, 'MiB', '', note))
      continue
    }
    rows.push(
      comparedRow({
        name: `${name}, all`,
        value: index / 2 ** 20,
        unit: 'MiB',
        reference: 'the whole',
        referenceValue: whole / 2 ** 20,
        aim: '',
        note,
      }),
    )
  }
  return rows
}

/** CPU of all shards together, without what the network adds. */
async function costRows(bench: Bench, size: Size): Promise<BenchRow[]> {
  const count = 4
  bench.say(`shards: requests to ${count}`)
  const whole = filled(size, 0, 1)
  const retrievals = Array.from({ length: count }, (_, at) => filled(size, at, count))
  const shards = retrievals.map(shardOf)
  const queries = Array.from({ length: bench.quick ? 20 : 200 }, (_, n) => queryOf(n, size))
  const [asked] = retrievals
  const askWhole = (query: RetrieveQuery): unknown => whole.retrieve(query)
  const askShards = async (query: RetrieveQuery): Promise<unknown> =>
    asked?.retrieve(query, await gatherIndex(shards, asked.indexWanted(query)))
  const rounds: { readonly whole: number; readonly shards: number }[] = []
  for (let round = 0; round < 4; round++)
    rounds.push({ whole: await cpuOf(queries, askWhole), shards: await cpuOf(queries, askShards) })
  // The first is for the compilers.
  const measured = rounds.slice(1)
  return [
    comparedRow({
      name: `Retrieve from ${count} shards in one process, CPU`,
      value: median(measured.map((round) => round.shards)),
      unit: 'ms/query',
      reference: 'from the whole',
      referenceValue: median(measured.map((round) => round.whole)),
      aim: '',
      note: `${size.actions} clicks of ${size.users} users on ${size.pins} pins, default sources, no embeddings; ${queries.length} queries, 3 rounds; all shards' work together, no network`,
    }),
  ]
}

async function cpuOf(queries: readonly RetrieveQuery[], ask: (query: RetrieveQuery) => unknown): Promise<number> {
  const before = cpuMsNow()
  for (const query of queries) await ask(query)
  return (cpuMsNow() - before) / queries.length
}

function shardOf(retrieval: Retrieval): IndexShard {
  return {
    part: async (wanted) => retrieval.listPart(wanted),
    tally: async (list, pinIds) => retrieval.listTally(list, pinIds),
  }
}

function filled(size: Size, index: number, count: number): Retrieval {
  const retrieval = createRetrieval({
    config: { adaptShares: false },
    seed: 1,
    refresh: 'event',
    shard: { index, count },
  })
  for (let n = 0; n < size.actions; n++) retrieval.foldEngagement(clickOf(n, size))
  return retrieval
}

function pinOf(user: number, n: number, { pins }: Size): PinId {
  const tastes = Math.floor(pins / pinsPerTaste)
  const taste = mix32(user * 3 + (mix32(n) % 3)) % tastes
  return asId<PinId>(`pin-${taste * pinsPerTaste + Math.floor((mix32(n * 5 + 1) / 2 ** 32) ** 2 * pinsPerTaste)}`)
}

function clickOf(n: number, size: Size): Engagement {
  const user = mix32(n * 7 + 3) % size.users
  return {
    eventId: asId<EventId>(`event-${n}`),
    userId: asId<UserId>(`user-${user}`),
    sessionId: asId<SessionId>(`session-${user}-${Math.floor(n / (size.users * 5))}`),
    action: 'click',
    subject: { kind: 'pin', pinId: pinOf(user, n, size) },
    boardId: null,
    occurredAtMs: startMs + n * stepMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  }
}

function queryOf(n: number, size: Size): RetrieveQuery {
  const user = mix32(n) % size.users
  const atMs = startMs + size.actions * stepMs
  const recent = Array.from({ length: 10 }, (_, i) => ({
    pinId: pinOf(user, n * 10 + i, size),
    action: 'click' as const,
    occurredAtMs: atMs - (10 - i) * 60_000,
    sessionId: null,
    boardId: null,
  }))
  return { surface: 'home', atMs, userId: asId<UserId>(`user-${user}`), recent, limit: 500 }
}
