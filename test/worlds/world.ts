import { createSeededRandom } from '@freshet/adapters/memory/random'
import type { Random } from '@freshet/domain/clock'
import { intentOf, likingOf, looksAt, react, rest, saveChance } from './behaviour.ts'
import { exponential } from './draws.ts'
import { createFigures } from './figures.ts'
import { makeCreators, makePerson, makePin, makeTastes, type Person, type WorldPin } from './population.ts'
import type { Ask, Engagement, Shown, WorldLine, WorldReport } from './protocol.ts'
import { dayMs, type WorldSettings } from './settings.ts'

/** Answers the asks of a world, and sees all that a product may see. */
export interface Player {
  readonly name: string
  /** A pin or an engagement happened, or time passed. */
  take(line: WorldLine): Promise<void> | void
  show(ask: Ask, truth: Truth): Promise<Shown> | Shown
  /** When the product wants the world to end, milliseconds since 1970; absent: at its own end. */
  stoppedAtMs?(): number
}

/** What only the best possible policy may look at. */
export interface Truth {
  /** The page with the most expected saves. Greedy: each place gets the pin that is worth most after those before it. */
  bestPage(): readonly string[]
}

type Happening =
  | { readonly atMs: number; readonly kind: 'visit'; readonly person: Person; readonly page: number }
  | { readonly atMs: number; readonly kind: 'engagement'; readonly engagement: Engagement }
  | { readonly atMs: number; readonly kind: 'pin' | 'tick' }

/** Plays a world to its end, or until the player wants it to end. The same settings and the same answers give the same lines. */
export async function playWorld(settings: WorldSettings, player: Player): Promise<WorldReport> {
  const random = createSeededRandom(`world-${settings.seed}`)
  const creators = makeCreators(random, settings)
  const pins = new Map<string, WorldPin>()
  const people = Array.from({ length: settings.users }, (_, at) => makePerson(random, at, settings))
  const figures = createFigures(settings, player.name)
  const isOver = (atMs: number): boolean =>
    atMs >= Math.min(settings.startMs + settings.days * dayMs, player.stoppedAtMs?.() ?? Infinity)
  const driftMs = settings.startMs + settings.driftDay * dayMs
  const queue: Happening[] = []
  let drifted = false
  let asks = 0

  const addPin = async (atMs: number): Promise<void> => {
    const pin = makePin(random, creators, { pinId: `pin-${pins.size}`, createdAtMs: atMs }, settings)
    pins.set(pin.pinId, pin)
    await player.take({
      pin: {
        pinId: pin.pinId,
        title: `Topic ${pin.topic}, number ${pins.size}`,
        topics: pin.topics.map((topic) => `topic-${topic}`),
        creatorId: creators[pin.creator]!.creatorId,
        createdAt: new Date(atMs).toISOString(),
      },
    })
  }
  const visit = async (person: Person, atMs: number, page: number): Promise<void> => {
    rest(person, atMs)
    const ask: Ask = {
      id: `ask-${asks++}`,
      at: new Date(atMs).toISOString(),
      userId: person.userId,
      surface: 'home',
      pageSize: settings.pageSize,
    }
    let best: readonly string[] | null = null
    const bestPage = (): readonly string[] => (best ??= findBestPage(person, pins, { creators, atMs, settings }))
    const shown = await player.show(ask, { bestPage })
    // The product may say that the world ends as it answers.
    if (isOver(atMs)) return
    const pinsShown = pinsOf(shown, pins, settings.pageSize)
    figures.fed(atMs, person, {
      value: valueOf(person, pinsShown, { creators, atMs }),
      best: valueOf(
        person,
        bestPage().map((pinId) => pins.get(pinId)!),
        { creators, atMs },
      ),
      pins: pins.size,
    })
    figures.predicted(shown, pinsShown, (pin) => intentOf(person, pin, creators, atMs))
    const { engagements, saves, endsAtMs } = react(random, person, pinsShown, {
      creators,
      atMs,
      feedId: shown.feedId,
      askId: ask.id,
    })
    // Others ask while someone looks at a page, so what happens is written when it happens.
    for (const engagement of engagements)
      insert(queue, { atMs: Date.parse(engagement.occurredAt), kind: 'engagement', engagement })
    figures.reacted(atMs, engagements, { saves, pins })
    person.satisfaction += 0.3 * (saves - person.satisfaction)
    const goesOn = page + 1 < settings.maxPagesPerVisit && random.next() < (saves > 0 ? 0.6 : 0.3)
    const next = goesOn ? endsAtMs + 2_000 : endsAtMs + nextVisitMs(random, person, settings)
    insert(queue, { atMs: next, kind: 'visit', person, page: goesOn ? page + 1 : 0 })
  }

  await player.take({ tick: { at: new Date(settings.startMs).toISOString() } })
  for (let at = 0; at < settings.pins; at++) await addPin(settings.startMs - Math.floor(random.next() * 30 * dayMs))
  for (const person of people)
    insert(queue, {
      atMs: settings.startMs + exponential(random, dayMs / settings.visitsPerDay),
      kind: 'visit',
      person,
      page: 0,
    })
  insert(queue, { atMs: settings.startMs + dayMs / settings.newPinsPerDay, kind: 'pin' })
  insert(queue, { atMs: settings.startMs + tickMs, kind: 'tick' })

  for (let next = queue.shift(); next !== undefined && !isOver(next.atMs); next = queue.shift()) {
    const atMs = Math.floor(next.atMs)
    if (!drifted && atMs >= driftMs) {
      drifted = true
      for (const person of people)
        if (random.next() < settings.driftShare) Object.assign(person, makeTastes(random, settings))
    }
    if (next.kind === 'visit') await visit(next.person, atMs, next.page)
    else if (next.kind === 'engagement') await player.take({ engagement: next.engagement })
    else if (next.kind === 'pin') {
      await addPin(atMs)
      insert(queue, { atMs: next.atMs + exponential(random, dayMs / settings.newPinsPerDay), kind: 'pin' })
    } else {
      await player.take({ tick: { at: new Date(atMs).toISOString() } })
      insert(queue, { atMs: next.atMs + tickMs, kind: 'tick' })
    }
  }
  const report = figures.report(pins.values())
  await player.take({ report })
  await player.take({ end: {} })
  return report
}

/** Timers get a chance this often. */
const tickMs = 10 * 60_000

/** Someone who is satisfied comes back sooner; someone who found nothing stays away for days. */
function nextVisitMs(random: Random, person: Person, { visitsPerDay }: WorldSettings): number {
  const eagerness = 0.15 + 1.7 * Math.min(1, person.satisfaction)
  return exponential(random, dayMs / (visitsPerDay * eagerness))
}

/** Expected saves of a page for someone, with the fatigue that it causes itself. */
function valueOf(
  person: Person,
  page: readonly WorldPin[],
  { creators, atMs }: { readonly creators: Parameters<typeof intentOf>[2]; readonly atMs: number },
): number {
  const tired = new Map<number, number>()
  let value = 0
  for (const [position, pin] of page.entries()) {
    const looks = looksAt(position)
    const extra = tired.get(pin.topic) ?? 0
    value += looks * saveChance(person, pin, likingOf(person, pin, creators, atMs), extra)
    tired.set(pin.topic, extra + looks)
  }
  return value
}

function findBestPage(
  person: Person,
  pins: ReadonlyMap<string, WorldPin>,
  {
    creators,
    atMs,
    settings,
  }: { readonly creators: Parameters<typeof intentOf>[2]; readonly atMs: number; readonly settings: WorldSettings },
): readonly string[] {
  // Fatigue falls on a topic as a whole, so within a topic the order by chance of a save stays as it is.
  const byTopic = Array.from(
    { length: settings.topics },
    () => [] as { readonly pin: WorldPin; readonly liking: number }[],
  )
  for (const pin of pins.values()) {
    const liking = likingOf(person, pin, creators, atMs)
    if (saveChance(person, pin, liking) > 0) byTopic[pin.topic]!.push({ pin, liking })
  }
  for (const list of byTopic) list.sort((a, b) => b.liking - a.liking)
  const taken = new Int32Array(settings.topics)
  const extra = new Float64Array(settings.topics)
  const page: string[] = []
  while (page.length < settings.pageSize) {
    let best: { readonly pin: WorldPin; readonly save: number } | null = null
    for (let topic = 0; topic < settings.topics; topic++) {
      const first = byTopic[topic]![taken[topic]!]
      if (first === undefined) continue
      const save = saveChance(person, first.pin, first.liking, extra[topic])
      if (best === null || save > best.save) best = { pin: first.pin, save }
    }
    if (best === null) break
    extra[best.pin.topic]! += looksAt(page.length)
    taken[best.pin.topic]!++
    page.push(best.pin.pinId)
  }
  return page
}

function pinsOf(shown: Shown, pins: ReadonlyMap<string, WorldPin>, pageSize: number): WorldPin[] {
  if (shown.pinIds.length > pageSize)
    throw new Error(`${shown.pinIds.length} pins were shown where ${pageSize} were asked for`)
  if (new Set(shown.pinIds).size < shown.pinIds.length) throw new Error('a pin is shown twice on one page')
  return shown.pinIds.map(
    (pinId) => pins.get(pinId) ?? fail(`the pin ${pinId} was shown, which this world does not have`),
  )
}

function fail(message: string): never {
  throw new Error(message)
}

function insert(queue: Happening[], happening: Happening): void {
  let low = 0
  let high = queue.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (queue[middle]!.atMs <= happening.atMs) low = middle + 1
    else high = middle
  }
  queue.splice(low, 0, happening)
}
