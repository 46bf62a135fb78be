import type { Case, PromisedCaps } from './case.ts'
import type { TruePin } from './truth.ts'

/** Whether a pin of a home page surely fits under all caps, below these pins. */
export function hasRoomUnderCaps(pin: TruePin, above: readonly TruePin[], caps: PromisedCaps): boolean {
  return (
    hasRoom(pin, above, { classesOf: creatorOf, most: caps.mostOfCreator }) &&
    hasRoom(pin, above, { classesOf: topicsOf, most: caps.mostOfTopicAtStart })
  )
}

type Classes = (pin: TruePin) => readonly string[]
const creatorOf: Classes = ({ creatorId }) => [creatorId]
const topicsOf: Classes = ({ topics }) => topics

/** The first place of a page that is over the cap of creators though another candidate fitted; null: there is none. */
export function overCreators(of: Case): string | null {
  return overCap(of, of.promised.caps.mostOfCreator, creatorOf)
}

/** The same for the cap of topics. Related pins have none: they share their topic on purpose. */
export function overTopics(of: Case): string | null {
  return of.asked.surface === 'home' ? overCap(of, of.promised.caps.mostOfTopic, topicsOf) : null
}

/**
 * A place may be over a cap only if no remaining candidate fits under all caps. Which candidates the ordering had is known but for
 * those beyond its pool, so a place breaks the rule if more candidates fit than can be beyond it. Repeats come last and have no cap.
 */
function overCap({ truth, asked, answered, promised, candidates }: Case, most: number, classesOf: Classes) {
  if (!answered.isFull || candidates === null) return null
  const { caps } = promised
  const shown = answered.items.flatMap(({ pinId, seenAgain }) => (seenAgain ? [] : (truth.pins.get(pinId) ?? [])))
  for (const [place, pin] of shown.entries()) {
    const above = shown.slice(Math.max(0, place - caps.window + 1), place)
    const isOver = !hasRoom(pin, above, { classesOf, most })
    if (!isOver) continue
    const taken = new Set(shown.slice(0, place + 1).map(({ pinId }) => pinId))
    const fitting = candidates.pins.filter(
      (other) =>
        !taken.has(other.pinId) &&
        hasRoom(other, above, { classesOf: creatorOf, most: caps.mostOfCreator }) &&
        (asked.surface === 'related' || hasRoom(other, above, { classesOf: topicsOf, most: caps.mostOfTopicAtStart })),
    )
    if (fitting.length > Math.max(0, candidates.count - caps.pool))
      return `${pin.pinId} at place ${place}, though ${fitting.length} others fitted, ${fitting[0]?.pinId} for one`
  }
  return null
}

interface Cap {
  readonly classesOf: Classes
  readonly most: number
}

function hasRoom(pin: TruePin, above: readonly TruePin[], { classesOf, most }: Cap): boolean {
  return classesOf(pin).every((name) => above.filter((other) => classesOf(other).includes(name)).length < most)
}
