import { createDraw, weighted, type Line } from './draws.ts'

const pins = 4_000
const tastes = 80
const events = 36_000
const relatedPins = 6
const startMs = Date.UTC(2015, 4, 3)
const stepMs = 15_000
const marks = 50
/** Of the targets, how many are pins that the session has had. */
const repeatShare = 0.44

/**
 * A shop where people go back and forth: of what a session takes next, 44 % are pins that it has had, the latest most
 * often; the rest are related to the current pin or of its taste. Most users come once. Sessions overlap in time.
 */
export function* repeatsLines(): Generator<Line> {
  const dice = createDraw(5)
  const { draw, unit, zipf } = dice
  const perTaste = pins / tastes
  const related = Array.from({ length: pins }, (_, pin) =>
    Array.from({ length: relatedPins }, () => Math.floor(pin / perTaste) * perTaste + draw(perTaste)),
  )
  const open: { user: number; session: number; taken: number[] }[] = []
  let nextMark = 0
  for (let at = 0, session = 0; at < events; at++) {
    if (at >= nextMark) {
      yield { mark: `event ${at}` }
      nextMark += events / marks
    }
    // Forty sessions are under way at any time; one ends after each sixth click on average.
    while (open.length < 40) {
      const user = unit() < 0.8 ? 100_000 + session : draw(600)
      open.push({ user, session: session++, taken: [] })
    }
    const place = draw(open.length)
    const current = open[place]!
    const { user, taken } = current
    const earlier = [...new Set(taken.toReversed())].slice(1)
    const last = taken.at(-1)
    let pin: number
    if (last === undefined) pin = zipf(tastes) * perTaste + zipf(perTaste)
    else if (earlier.length > 0 && unit() < repeatShare * 1.25)
      pin =
        earlier[
          weighted(
            earlier.map((_, lag) => 0.6 ** lag),
            dice,
          )
        ]!
    else if (unit() < 0.6) pin = related[last]![zipf(relatedPins)]!
    else pin = Math.floor(last / perTaste) * perTaste + zipf(perTaste)
    const occurredAt = new Date(startMs + at * stepMs).toISOString()
    const who = { userId: `u${user}`, sessionId: `s${current.session}` }
    if (at > events / 3 && last !== undefined && pin !== last)
      yield { question: { at: occurredAt, ...who, target: `p${pin}`, group: `third ${Math.floor((at / events) * 3)}` } }
    yield { engagement: { eventId: `e${at}`, ...who, action: 'click', pinId: `p${pin}`, occurredAt } }
    taken.push(pin)
    if (unit() < 1 / 6) open.splice(place, 1)
  }
}
