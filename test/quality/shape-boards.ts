import { createDraw, weighted, type Line } from './draws.ts'

const pins = 3_000
const boards = 2_000
const pinsOfBoard = 22
const interests = 60
const startMs = Date.UTC(2015, 0, 1)
const stepMs = 40_000
const ranked = 100
const marks = 20

/**
 * Boards to be completed: everything is saved first, in an order without a meaning; then one more pin of each board is
 * asked for, among a hundred of which the others are not on it. A board is of one or two interests, a pin of up to
 * three; some pins are saved by many.
 */
export function* boardsLines(): Generator<Line> {
  const dice = createDraw(11)
  const { draw, unit, normal } = dice
  const popularity = Array.from({ length: pins }, () => Math.exp(0.8 * normal()))
  const members: { pin: number; weight: number }[][] = Array.from({ length: interests }, () => [])
  for (let pin = 0; pin < pins; pin++) {
    const of = 1 + draw(3)
    for (let i = 0; i < of; i++) members[draw(interests)]!.push({ pin, weight: popularity[pin]! / of })
  }
  const saves: { board: number; pin: number }[] = []
  const targets: number[] = []
  const held: Set<number>[] = []
  for (let board = 0; board < boards; board++) {
    const about = [draw(interests), draw(interests)]
    const chosen = new Set<number>()
    for (let tries = 0; chosen.size < pinsOfBoard && tries < 1_000; tries++) {
      const interest = members[about[unit() < 0.65 ? 0 : 1]!]!
      const at =
        unit() < 0.15
          ? -1
          : weighted(
              interest.map(({ weight }) => weight),
              dice,
            )
      chosen.add(at < 0 ? draw(pins) : interest[at]!.pin)
    }
    const [target, ...rest] = [...chosen]
    targets.push(target!)
    held.push(chosen)
    for (const pin of rest) saves.push({ board, pin })
  }
  for (let last = saves.length - 1; last > 0; last--) {
    const other = draw(last + 1)
    ;[saves[last], saves[other]] = [saves[other]!, saves[last]!]
  }
  const who = (board: number): Line => ({ userId: `u${board}` })
  const at = (save: number): string => new Date(startMs + save * stepMs).toISOString()
  for (const [save, { board, pin }] of saves.entries()) {
    if (save % Math.ceil(saves.length / marks) === 0) yield { mark: `save ${save}` }
    yield {
      engagement: {
        eventId: `e${save}`,
        ...who(board),
        action: 'save',
        pinId: `p${pin}`,
        boardId: `b${board}`,
        occurredAt: at(save),
      },
    }
  }
  yield { mark: 'all saved' }
  for (const [board, target] of targets.entries()) {
    const among = new Set([target])
    while (among.size < ranked) {
      const pin = draw(pins)
      if (!held[board]!.has(pin)) among.add(pin)
    }
    const pinIds = [...among].sort((a, b) => a - b).map((pin) => `p${pin}`)
    yield { question: { at: at(saves.length), ...who(board), target: `p${target}`, among: pinIds } }
  }
}
