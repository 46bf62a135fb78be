/** Requests with a filter, beside the same requests without one. `node test/benchmarks/filters.ts`. */
import { fileURLToPath } from 'node:url'
import type { Action, Engagement } from '@freshet/domain/engagement'
import {
  asId,
  type BoardId,
  type CreatorId,
  type EventId,
  type PinId,
  type TopicId,
  type UserId,
} from '@freshet/domain/ids'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { aCataloguePin } from '@freshet/domain/testing'
import type { PinFilter, RetrieveQuery } from '@freshet/retrieval/question'
import { createRetrieval, type Retrieval } from '@freshet/retrieval/retrieval'
import { cpuMsNow, type Bench } from './bench.ts'
import { comparedRow, formatRows, quantile, type BenchRow } from './row.ts'

const pinsPerTopic = 10_000
const pinsPerCreator = 100
const pinsPerHour = 500
const startMs = 1_760_000_000_000
const none: PinFilter = { topics: [], creators: [], boards: [], createdFromMs: null }

/** All rows of this benchmark. */
export async function filterRows({ quick, say }: Bench = { quick: false, say: () => {} }): Promise<BenchRow[]> {
  const pins = quick ? 20_000 : 1_000_000
  say(`filters: ${pins} pins`)
  const retrieval = filled(pins, quick ? 2_000 : 200_000)
  const atMs = startMs + (pins / pinsPerHour) * 3_600_000
  const filters: readonly (readonly [string, (n: number) => PinFilter])[] = [
    [`a topic of ${pinsPerTopic} pins`, (n) => ({ ...none, topics: [aTopic(n % (pins / pinsPerTopic))] })],
    [`a creator of ${pinsPerCreator} pins`, (n) => ({ ...none, creators: [asId<CreatorId>(`c${n}`)] })],
    ['the newest 1,000 pins', () => ({ ...none, createdFromMs: atMs - 2 * 3_600_000 + 1 })],
  ]
  const queryOf = (n: number, filter: PinFilter | null): RetrieveQuery => ({
    ...{ surface: 'home', atMs, userId: asId<UserId>(`u${n}`), sessionId: null, limit: 500, fillTo: 500, filter },
    recent: Array.from({ length: 20 }, (_, i) => ({
      ...{ pinId: aPin((n * 7_919 + i * 104_729) % pins), action: 'click' as const },
      ...{ occurredAtMs: atMs - 60_000 * (20 - i), sessionId: null, boardId: null },
    })),
  })
  return filters.map(([name, filterOf]) => {
    say(`filters: ${name}`)
    const [filtered, plain]: [number[], number[]] = [[], []]
    const rounds = quick ? 20 : 300
    for (let n = 0; n < 2 * rounds; n++) {
      const times = [filterOf(n), null].map((filter) => timed(retrieval, queryOf(n, filter)))
      // The first half is for the compilers.
      if (n < rounds) continue
      filtered.push(times[0]!)
      plain.push(times[1]!)
    }
    return comparedRow({
      name: `Retrieve of ${name}, CPU, p50`,
      value: quantile(filtered, 0.5),
      unit: 'ms',
      reference: 'the same without a filter',
      referenceValue: quantile(plain, 0.5),
      aim: '≤ 5',
      note: `${pins} pins, ${pinsPerTopic} to a topic, sources of the defaults, 500 wanted`,
    })
  })
}

/** CPU time, milliseconds: what other work on the machine moves least. */
function timed(retrieval: Retrieval, query: RetrieveQuery): number {
  const beganMs = cpuMsNow()
  const { pinIds } = retrieval.retrieve(query)
  if (pinIds.length === 0) throw new Error('a query found nothing')
  return cpuMsNow() - beganMs
}

const aPin = (n: number): PinId => asId<PinId>(`p${n}`)
const aTopic = (n: number): TopicId => asId<TopicId>(`t${n}`)

function filled(pins: number, engagements: number): Retrieval {
  const retrieval = createRetrieval({ seed: 1, refresh: 'event' })
  const topics = pins / pinsPerTopic
  for (let n = 0; n < pins; n++) {
    const pin = aCataloguePin(`p${n}`, {
      topics: [aTopic(n % topics)],
      creatorId: asId<CreatorId>(`c${Math.floor(n / pinsPerCreator)}`),
      createdAtMs: startMs + (n / pinsPerHour) * 3_600_000,
    })
    retrieval.foldPin({ kind: 'upsert', pin })
  }
  const random = mulberry32(7)
  for (let n = 0; n < engagements; n++) retrieval.foldEngagement(anEngagement(n, Math.floor(random() * pins)))
  retrieval.mark()
  return retrieval
}

function anEngagement(n: number, pin: number): Engagement {
  return {
    ...{ eventId: asId<EventId>(`e${n}`), userId: asId<UserId>(`u${n % 5_000}`), sessionId: null },
    ...{ action: (n % 3 === 0 ? 'save' : 'click') satisfies Action, subject: { kind: 'pin', pinId: aPin(pin) } },
    ...{ boardId: n % 3 === 0 ? asId<BoardId>(`b${n % 7_000}`) : null, occurredAtMs: startMs + n, dwellMs: null },
    shown: { feedId: null, position: null, surface: null },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(formatRows(await filterRows()))
