import { actions } from '@freshet/domain/engagement'
import { createOverallCounts } from '@freshet/domain/features/overall-rates'
import { PinReading } from '@freshet/domain/features/pin-reading'
import { hash32 } from '@freshet/domain/hash'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { unrestrictedPin, type Pin } from '@freshet/domain/pin'
import { foldPin, newPinState, type PinState } from '@freshet/domain/pin-state'
import { sourceNames } from '@freshet/domain/source-names'
import { anEngagement, aPin, noonMs } from '@freshet/domain/testing'
import { foldUser, newUserState } from '@freshet/domain/user-state'
import type { PinEntry, PinFacts } from '../features/read-candidates.ts'
import type { RankingPage } from './page.ts'

type Random = () => number

/** Sources of a page; the second one is of another version. */
const sources = ['trending', 'brand-new', 'pin2vec', 'co-occurrence'] as const
const hourMs = 3_600_000

/** A page of pins, some of them unknown, for a user with or without state; and what is known about the pins. */
export function randomPage(random: Random, rows: number): { readonly page: RankingPage; readonly facts: PinFacts } {
  const below = (n: number): number => Math.floor(random() * n)
  const entries = new Map<string, Entry>()
  for (let pin = 0; pin < 30; pin++)
    if (below(5) > 0)
      entries.set(`p${pin}`, { pin: below(6) === 0 ? null : randomPin(below, pin), state: randomState(below) })
  const pinIds = Array.from({ length: rows }, () => `p${below(36)}`)
  const acts = Array.from({ length: below(40) }, () => randomAct(below))
  const foundBy = Uint32Array.from(pinIds, () => 1 + below(2 ** sources.length - 1))
  const found = pinIds.flatMap((_, row) =>
    sources.flatMap((name, bit) => ((foundBy[row]! >>> bit) % 2 === 1 ? [{ row, name, rank: below(50) }] : [])),
  )
  const bySource = new Float32Array(rows * sourceNames.length)
  for (const { row, name, rank } of found) {
    const at = (sourceNames as readonly string[]).indexOf(name)
    if (at >= 0) bySource[row * sourceNames.length + at] = 1 / (1 + rank)
  }
  return {
    page: {
      pinIds,
      retrievalScores: Float32Array.from(pinIds, random),
      retrieval: {
        ranks: Uint16Array.from(pinIds.keys()),
        sourceCounts: Uint8Array.from(foundBy, (bits) => sources.filter((_, bit) => (bits >>> bit) % 2 === 1).length),
        sourceRanks: bySource,
        sourceScores: bySource.map((rank) => rank * 3),
      },
      user: below(4) === 0 ? null : foldUser(newUserState, acts),
      atMs: noonMs + below(24) * hourMs,
      request: {
        userId: below(5) === 0 ? '' : `u${below(9)}`,
        surface: below(4) === 0 ? 'related' : 'home',
        locale: below(3) === 0 ? '' : 'pt-BR',
        sources,
        foundBy,
      },
    },
    facts: factsOf(entries),
  }
}

function randomPin(below: (n: number) => number, pin: number): Pin {
  return {
    pinId: asId<PinId>(`p${pin}`),
    title: '',
    description: '',
    topics: Array.from({ length: below(4) }, () => asId<TopicId>(`t${below(5)}`)),
    creatorId: below(4) === 0 ? null : asId<CreatorId>(`c${below(5)}`),
    createdAtMs: below(3) === 0 ? null : noonMs - below(400) * 24 * hourMs,
    locale: null,
    imageUrl: null,
    visualEmbedding: null,
    ...unrestrictedPin,
  }
}

function randomAct(below: (n: number) => number) {
  const onPins = actions.filter((action) => !['follow', 'unfollow', 'block', 'unblock'].includes(action))
  return anEngagement({
    action: onPins[below(onPins.length)]!,
    subject: aPin(`p${below(30)}`),
    occurredAtMs: noonMs - below(20 * 24) * hourMs,
  })
}

function randomState(below: (n: number) => number): PinState | null {
  if (below(3) === 0) return null
  return foldPin(
    newPinState,
    Array.from({ length: 1 + below(9) }, () => randomAct(below)),
  )
}

interface Entry extends PinEntry {
  readonly state: PinState | null
}

function factsOf(entries: ReadonlyMap<string, Entry>): PinFacts {
  const byFingerprint = new Map([...entries].map(([pinId, { pin }]) => [hash32(pinId), pin ?? undefined]))
  const overall = createOverallCounts()
  return {
    entryOf: (pinId) => entries.get(pinId),
    pinOf: (fingerprint) => byFingerprint.get(fingerprint),
    overallRates: () => overall.rates(),
    readingOf(entry) {
      const { state } = entry as Entry
      return state === null ? null : new PinReading(() => state)
    },
  }
}
