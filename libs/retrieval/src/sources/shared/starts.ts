import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { actions } from '@freshet/domain/engagement'

import type { SourceQuery } from '../../source.ts'

/** How to weigh each of a user's recent pins as a start. */
export type StartsOptions = {
  /** Of the recent pins, the latest that count, each once. */
  readonly maxStarts: number
  /** Each step back in the history counts this much of the next. */
  readonly historyDecay: number
  /** A pin counts half after this long, milliseconds. */
  readonly halfLifeMs: number
  readonly saveWeight: number
  readonly clickWeight: number
  readonly closeupWeight: number
}

/** Distinct pins, latest first, and their weights; valid until the next fill. */
export interface Starts {
  readonly count: number
  readonly pinRows: Int32Array
  readonly weights: Float64Array
  fill(query: SourceQuery): void
}

/** The pins of the last fill, latest first. */
export function rowsOf({ count, pinRows }: Starts): Int32Array {
  return pinRows.subarray(0, count)
}

/** The settings of all sources that start from the user's recent pins, with the defaults of one source. */
export function startSettings({
  maxStarts = 10,
  historyDecay = 0.7,
  halfLifeMs = 7 * 86_400_000,
}: Partial<Pick<StartsOptions, 'maxStarts' | 'historyDecay' | 'halfLifeMs'>> = {}) {
  const weight = (action: string) => ({ description: `Weight of a ${action}`, unit: 'weight', min: 0, max: 1_000 })
  return {
    maxStarts: wholeSetting(maxStarts, {
      description: "The source starts from at most this many of the user's recent pins",
      unit: 'pins',
      min: 1,
      max: 1_000,
    }),
    historyDecay: numberSetting(historyDecay, {
      description: 'Each step back in the history of the user multiplies the weight of a pin by this',
      unit: 'factor',
      min: 0,
      max: 1,
    }),
    halfLifeMs: wholeSetting(halfLifeMs, {
      description: 'A recent pin counts half after this time',
      unit: 'ms',
      min: 1,
      max: 3_650 * 86_400_000,
    }),
    saveWeight: numberSetting(1.5, weight('save')),
    clickWeight: numberSetting(1, weight('click')),
    closeupWeight: numberSetting(1, weight('closeup')),
  }
}

/** The same, but with equal weights for recent and old pins, as for a user who fills a board. */
export function flatStarts(options: StartsOptions): StartsOptions {
  return { ...options, maxStarts: Math.max(30, options.maxStarts), historyDecay: 1, halfLifeMs: Infinity }
}

/** Room for the starts of one query at a time. */
export function createStarts(options: StartsOptions): Starts {
  const { historyDecay, halfLifeMs } = options
  const maxStarts = Math.floor(options.maxStarts)
  const pinRows = new Int32Array(maxStarts)
  const weights = new Float64Array(maxStarts)
  const byAction = Float64Array.from(actions, (action) =>
    action === 'save' ? options.saveWeight : action === 'click' ? options.clickWeight : options.closeupWeight,
  )
  let count = 0

  const indexOf = (row: number): number => {
    for (let i = 0; i < count; i++) if (pinRows[i] === row) return i
    return -1
  }

  return {
    get count() {
      return count
    },
    pinRows,
    weights,
    fill({ recentCount, recentRows, recentAtMs, recentActions, recentWeights, atMs }) {
      count = 0
      for (let i = recentCount - 1; i >= 0; i--) {
        const row = recentRows[i]!
        const action = byAction[recentActions[i]!]!
        const known = indexOf(row)
        if (known < 0 && count === maxStarts) break
        const place = known < 0 ? count : known
        const ageMs = Math.max(0, atMs - recentAtMs[i]!)
        const weight = action * recentWeights[i]! * historyDecay ** place * 2 ** (-ageMs / halfLifeMs)
        if (known >= 0) {
          // A pin that was clicked and then saved counts as the stronger of both.
          weights[place] = Math.max(weights[place]!, weight)
          continue
        }
        pinRows[count] = row
        weights[count++] = weight
      }
    },
  }
}
