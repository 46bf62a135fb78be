import { createSeededRandom } from '@freshet/adapters/memory/random'

/** Sizes of a generated recording. */
export interface RecordingSizes {
  readonly seed: number
  readonly pins: number
  readonly users: number
  readonly engagements: number
  readonly questions: number
  readonly startMs: number
}

const kinds = ['impression', 'impression', 'impression', 'closeup', 'click', 'click', 'save', 'hide'] as const

/**
 * Lines of a recording as `freshet evaluate` reads them: pins, then engagements of users who like one topic in four,
 * with questions spread among them. The same seed gives the same lines.
 */
export function* generatedRecording(sizes: RecordingSizes): Generator<string> {
  const random = createSeededRandom(sizes.seed)
  const below = (count: number): number => Math.floor(random.next() * count)
  const topicCount = 8
  for (let pin = 0; pin < sizes.pins; pin++) {
    yield JSON.stringify({
      pin: {
        pinId: `pin${pin}`,
        creatorId: `creator${pin % 11}`,
        topics: [`topic${pin % topicCount}`],
        createdAt: new Date(sizes.startMs - (pin + 1) * 3_600_000).toISOString(),
      },
    })
  }
  const askEvery = Math.floor(sizes.engagements / sizes.questions)
  for (let number = 0; number < sizes.engagements; number++) {
    const atMs = sizes.startMs + number * 4_000
    const user = below(sizes.users)
    const liked = user % 4
    const pin = random.next() < 0.7 ? liked + 4 * below(sizes.pins / 4) : below(sizes.pins)
    const action = kinds[below(kinds.length)] ?? 'click'
    yield JSON.stringify({
      engagement: {
        eventId: `event${number}`,
        userId: `user${user}`,
        sessionId: `session${user}-${Math.floor(number / 200)}`,
        action,
        pinId: `pin${pin}`,
        ...(action === 'save' ? { boardId: `board${user}-${liked}` } : {}),
        occurredAt: new Date(atMs).toISOString(),
        surface: 'home',
        position: below(25),
      },
    })
    if (number % askEvery === askEvery - 1) {
      const asked = `user${below(sizes.users)}`
      yield JSON.stringify({
        question: { at: new Date(atMs + 1_000).toISOString(), userId: asked, target: `pin${below(sizes.pins)}` },
      })
    }
  }
}
