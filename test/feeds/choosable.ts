import type { Asked, Candidates, Case } from './case.ts'
import type { World } from './playing-world.ts'
import { pinRules } from './rules.ts'
import type { TruePin, TrueUser } from './truth.ts'

/** What the ordering could choose from: what the candidate service found now or, if it was not asked, earlier in the session. */
export function candidatesOf(
  world: World,
  user: TrueUser,
  asked: Asked,
  earlier: Candidates | null,
): Candidates | null {
  const { retrieved, pins } = world
  const eligible = eligiblePins(world, user, asked)
  if (retrieved.size > 0) {
    const sourceOf = new Map(retrieved)
    return { pins: eligible.filter(({ pinId }) => sourceOf.has(pinId)), count: sourceOf.size, sourceOf }
  }
  if (earlier === null) return null
  // A pin that changed meanwhile may have been unfit when the product kept it.
  const same = new Set(earlier.pins.filter((pin) => pins.get(pin.pinId) === pin))
  return { ...earlier, pins: eligible.filter((pin) => same.has(pin)) }
}

/** Pins that the user may certainly see as new: never shown, never acted on, and without a picture that could be there twice. */
function eligiblePins(world: World, user: TrueUser, asked: Asked): readonly TruePin[] {
  const of: Case = {
    truth: world,
    user,
    asked,
    answered: { items: [], isFull: true, reasons: [] },
    promised: world.promised,
    until: Number.POSITIVE_INFINITY,
    offered: offeredLocales(world),
    candidates: null,
  }
  const rules = Object.values(pinRules)
  const shown = new Set(user.shown.map(({ pinId }) => pinId))
  return [...world.pins.values()].filter((pin) => {
    if (pin.picture !== '' || user.seen.has(pin.pinId) || shown.has(pin.pinId)) return false
    const item = { pinId: pin.pinId, seenAgain: false }
    return !rules.some((rule) => rule(pin, item, of))
  })
}

/** Locales of the pins that are in the catalogue now: a reader's region counts only while a pin is in it. */
export function offeredLocales({ pins }: World): readonly string[] {
  return [...new Set(Array.from(pins.values(), ({ locale }) => locale))].filter((locale) => locale !== '')
}
