import type { Case, PromisedCaps } from './case.ts'
import type { TruePin } from './truth.ts'

/** Whether a pin of a home page surely fits under all caps, below these pins. */
export function hasRoomUnderCaps(pin: TruePin, above: readonly (TruePin | undefined)[], caps: PromisedCaps): boolean {
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
  return overCap(of, { classesOf: creatorOf, most: of.promised.caps.mostOfCreator }, 'page')
}

/** The same for the cap of topics. Related pins have none: they share their topic on purpose. */
export function overTopics(of: Case): string | null {
  const cap = { classesOf: topicsOf, most: of.promised.caps.mostOfTopic }
  return of.asked.surface === 'home' ? overCap(of, cap, 'page') : null
}

/** The same for both caps of a next page, counting the pins of the pages before it too. */
export function overAcrossPages(of: Case): string | null {
  const { asked, promised } = of
  if (asked.surface !== 'home' || asked.before.length === 0) return null
  const caps = [
    { classesOf: creatorOf, most: promised.caps.mostOfCreator },
    { classesOf: topicsOf, most: promised.caps.mostOfTopic },
  ]
  return caps.reduce<string | null>((found, cap) => found ?? overCap(of, cap, 'session'), null)
}

/** The pins of earlier pages above a page; undefined: one that is no longer in the catalogue, which has a place and no class. */
export function pinsBefore({ truth, asked }: Case): readonly (TruePin | undefined)[] {
  return (asked.above ?? []).map((pinId) => truth.pins.get(pinId))
}

/** How many candidates the ordering of a page surely had. A next page has those that were ranked again. */
export function poolOf({ asked, promised: { caps } }: Case): number {
  return asked.before.length === 0 ? caps.pool : Math.min(caps.pool, Math.ceil(caps.pagesRankedAgain * asked.pageSize))
}

/**
 * A place may be over a cap only if no remaining candidate fits under all caps. Which candidates the ordering had is known but for
 * those beyond its pool, so a place breaks the rule if more candidates fit than can be beyond it. Repeats come last and have no cap.
 */
function overCap(of: Case, cap: Cap, counts: 'page' | 'session'): string | null {
  const { truth, asked, answered, promised, candidates } = of
  if (!answered.isFull || candidates === null || asked.above === null) return null
  const { caps } = promised
  const before = pinsBefore(of)
  const shown = answered.items.flatMap(({ pinId, seenAgain }) => (seenAgain ? [] : (truth.pins.get(pinId) ?? [])))
  for (const [place, pin] of shown.entries()) {
    const onPage = shown.slice(Math.max(0, place - caps.window + 1), place)
    const above = [...before, ...shown.slice(0, place)].slice(-(caps.window - 1))
    const isOver = !hasRoom(pin, counts === 'page' ? onPage : above, cap)
    if (!isOver) continue
    const taken = new Set(shown.slice(0, place + 1).map(({ pinId }) => pinId))
    const fitting = candidates.pins.filter(
      (other) =>
        !taken.has(other.pinId) &&
        hasRoom(other, above, { classesOf: creatorOf, most: caps.mostOfCreator }) &&
        (asked.surface === 'related' || hasRoom(other, above, { classesOf: topicsOf, most: caps.mostOfTopicAtStart })),
    )
    if (fitting.length > Math.max(0, candidates.count - poolOf(of)))
      return `${pin.pinId} at place ${place}, though ${fitting.length} others fitted, ${fitting[0]?.pinId} for one`
  }
  return null
}

interface Cap {
  readonly classesOf: Classes
  readonly most: number
}

function hasRoom(pin: TruePin, above: readonly (TruePin | undefined)[], { classesOf, most }: Cap): boolean {
  const has = (other: TruePin | undefined, name: string) => other !== undefined && classesOf(other).includes(name)
  return classesOf(pin).every((name) => above.filter((other) => has(other, name)).length < most)
}
