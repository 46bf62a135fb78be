import type { SessionLists } from '../views/session-lists.ts'
import type { SourceQuery } from '../source.ts'

const maxRecentPins = 10
const historyDecaySteps = 2
const rarityExponent = 1.5
const maxTrails = 200
const halfTrusted = 300
const least = 0.1
const leastRelated = 0.6

/**
 * How much the views know about what follows a user's recent pins, in [0.1, 1): E / (E + 300), at least 0.6 on the
 * related surface, where the pin tells what the user wants, with
 * E = Σ exp(-step / 2) · min(200, trails with the pin) · log(1 + trails / trails with the pin)^1.5, over the last ten
 * distinct pins. Many trails through rare pins are strong evidence; trails through pins that everybody touches add little
 * to popularity. A pin that the user looked at shortly adds a part.
 */
export function measureEvidence(query: SourceQuery, trails: SessionLists): number {
  let evidence = 0
  let taken = 0
  for (let i = query.recentCount - 1; i >= 0 && taken < maxRecentPins; i--) {
    const row = query.recentRows[i]!
    let later = false
    for (let n = i + 1; n < query.recentCount && !later; n++) later = query.recentRows[n] === row
    if (later) continue
    const count = trails.sessionCountOf(row)
    const rarity = Math.log(1 + trails.sessionsEver / (1 + count)) ** rarityExponent
    evidence += query.recentWeights[i]! * Math.exp(-taken / historyDecaySteps) * rarity * Math.min(maxTrails, count)
    taken++
  }
  const floor = query.surface === 'related' ? leastRelated : least
  return floor + ((1 - floor) * evidence) / (evidence + halfTrusted)
}
