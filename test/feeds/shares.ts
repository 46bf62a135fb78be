import { hasRoomUnderCaps, pinsBefore, poolOf } from './caps.ts'
import type { Case, PromisedShare } from './case.ts'

/**
 * The first place of a home page that takes a pin of another group of sources than its shares ask for, though a candidate fitted that
 * keeps shares and caps; null: there is none. After i places a group has at least ⌊min · i⌋ of them, and never more than ⌈max · page size⌉.
 */
export function overShares(of: Case): string | null {
  const { truth, asked, answered, promised, candidates } = of
  const { shares, caps } = promised
  if (shares.length === 0 || asked.surface !== 'home' || !answered.isFull || candidates === null) return null
  if (asked.above === null) return null
  const shown = answered.items.flatMap(({ pinId, seenAgain }) => (seenAgain ? [] : (truth.pins.get(pinId) ?? [])))
  const isOf = ({ sources }: PromisedShare, pinId: string): boolean =>
    sources.includes(candidates.sourceOf.get(pinId) ?? '')
  for (const [place, pin] of shown.entries()) {
    const groups = shares.map((share) => ({
      share,
      count: shown.slice(0, place).filter(({ pinId }) => isOf(share, pinId)).length,
      least: Math.floor(share.min * asked.pageSize),
    }))
    const isFull = (pinId: string): boolean =>
      groups.some(
        ({ share, count }) => isOf(share, pinId) && count >= Math.max(1, Math.ceil(share.max * asked.pageSize)),
      )
    const late = groups.filter(({ share, count }) => count < Math.floor(share.min * (place + 1)))
    const missing = groups.filter(({ count, least }) => count < least)
    const isOfSome = (some: typeof groups, pinId: string): boolean =>
      some.length === 0 || some.some(({ share }) => isOf(share, pinId))
    const isWrong = isFull(pin.pinId) || (late.length > 0 && !isOfSome(missing, pin.pinId))
    if (!isWrong) continue
    const above = [...pinsBefore(of), ...shown.slice(0, place)].slice(-(caps.window - 1))
    const taken = new Set(shown.slice(0, place + 1).map(({ pinId }) => pinId))
    const fitting = candidates.pins.filter(
      (other) =>
        !taken.has(other.pinId) &&
        !isFull(other.pinId) &&
        isOfSome(late, other.pinId) &&
        isOfSome(missing, other.pinId) &&
        hasRoomUnderCaps(other, above, caps),
    )
    if (fitting.length > Math.max(0, candidates.count - poolOf(of)))
      return `${pin.pinId} at place ${place}, though ${fitting.length} others fitted, ${fitting[0]?.pinId} for one`
  }
  return null
}
