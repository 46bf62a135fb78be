import { createSeededRandom } from '@freshet/adapters/memory/random'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import type { Action, Engagement } from '@freshet/domain/engagement'
import {
  asId,
  type BoardId,
  type CreatorId,
  type EventId,
  type PinId,
  type SessionId,
  type TopicId,
  type UserId,
} from '@freshet/domain/ids'
import { unrestrictedPin, type PinChange } from '@freshet/domain/pin'

/** Records for one topic. */
export interface Records {
  readonly topic: 'pins.v1' | 'engagements.v1'
  readonly records: readonly NewRecord[]
}

/** A made-up catalogue and what made-up users did, the same for the same sizes. */
export interface Synthetic {
  readonly pins: readonly PinChange[]
  /** In time order; each user keeps to a few tastes. */
  readonly engagements: readonly Engagement[]
}

/** Sizes of a synthetic world. */
export interface SyntheticSize {
  readonly pins: number
  readonly users: number
  readonly engagements: number
  readonly endMs: number
  /** How long before `endMs` it began, milliseconds. */
  readonly overMs: number
  /** Width of visual embeddings; 0: pins have none. */
  readonly visualWidth: number
  /** Begins event ids: worlds that go into the same log differ in it. */
  readonly name: string
}

const pinsPerTaste = 100
const actionsDrawn: readonly Action[] = ['impression', 'impression', 'impression', 'closeup', 'click', 'click', 'save']

/** The taste (cluster) of a pin by its number. */
export function tasteOf(pin: number): number {
  return Math.floor(pin / pinsPerTaste)
}

/** Makes it. */
export function syntheticWorld(size: SyntheticSize): Synthetic {
  const random = createSeededRandom(size.name)
  const tastes = Math.max(1, Math.ceil(size.pins / pinsPerTaste))
  const below = (count: number): number => Math.floor(random.next() * count)
  const centres = Array.from({ length: tastes }, () =>
    Float32Array.from({ length: size.visualWidth }, () => random.next() - 0.5),
  )
  const pins = Array.from({ length: size.pins }, (_, pin): PinChange => {
    const taste = tasteOf(pin)
    return {
      kind: 'upsert',
      pin: {
        pinId: asId<PinId>(`pin-${pin}`),
        title: `Pin ${pin}`,
        description: '',
        topics: [asId<TopicId>(`topic-${taste % 500}`)],
        creatorId: asId<CreatorId>(`creator-${taste * 4 + below(4)}`),
        createdAtMs: size.endMs - size.overMs - below(30 * 86_400_000),
        locale: null,
        imageUrl: null,
        ...unrestrictedPin,
        visualEmbedding:
          size.visualWidth === 0 ? null : centres[taste]!.map((value) => value + 0.2 * (random.next() - 0.5)),
      },
    }
  })
  const engagements = Array.from({ length: size.engagements }, (_, i): Engagement => {
    const user = below(size.users)
    const taste = (user * 7 + below(3) * 31) % tastes
    const pin = Math.min(size.pins - 1, taste * pinsPerTaste + Math.floor(random.next() ** 2 * pinsPerTaste))
    const action = actionsDrawn[below(actionsDrawn.length)]!
    const occurredAtMs = size.endMs - size.overMs + Math.floor((i / size.engagements) * size.overMs)
    return {
      eventId: asId<EventId>(`${size.name}-${i}`),
      userId: asId<UserId>(`user-${user}`),
      sessionId: asId<SessionId>(`session-${user}-${Math.floor(i / (size.users * 6))}`),
      action,
      subject: { kind: 'pin', pinId: asId<PinId>(`pin-${pin}`) },
      boardId: action === 'save' ? asId<BoardId>(`board-${user}-${taste}`) : null,
      occurredAtMs,
      shown: { feedId: null, position: i % 25, surface: 'home' },
      dwellMs: null,
    }
  })
  return { pins, engagements }
}

/** A world as records of the log. */
export function recordsOf({ pins, engagements }: Synthetic): readonly Records[] {
  return [
    {
      topic: 'pins.v1',
      records: pins.map((change) => ({
        key: change.kind === 'upsert' ? change.pin.pinId : change.pinId,
        value: encodePinChange(change),
        partition: null,
      })),
    },
    {
      topic: 'engagements.v1',
      records: engagements.map((engagement) => ({
        key: engagement.userId,
        value: encodeEngagement(engagement, engagement.occurredAtMs),
        partition: null,
      })),
    },
  ]
}
