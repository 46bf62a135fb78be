import { binWidth } from './histogram.ts'
import { splitGain, type Split, type SplitSearch } from './split.ts'

/**
 * The best set of categories to send left; missing and rare categories go right. A feature of few categories tries each
 * against the rest. Otherwise categories are sorted by G / (H + smoothing), and every beginning and end of that order is
 * tried (Fisher 1958; as LightGBM does), so the search takes n·log n steps for n categories. Null: none gains.
 */
export function bestCategories(search: SplitSearch): Split | null {
  const { histogram, offset, binned, settings } = search
  const present: number[] = []
  for (let bin = 1; bin < binned.count; bin++) if (histogram[offset + binWidth * bin + 2]! > 0) present.push(bin)
  if (binned.count - 1 <= settings.maxCategoriesOneAgainstRest) return oneAgainstRest(search, present)
  const sortKey = new Float64Array(binned.count)
  for (const bin of present) {
    const at = offset + binWidth * bin
    sortKey[bin] = histogram[at]! / (histogram[at + 1]! + settings.categorySmoothing)
  }
  const frequent = present
    .filter((bin) => histogram[offset + binWidth * bin + 2]! >= settings.categorySmoothing)
    .sort((a, b) => sortKey[a]! - sortKey[b]! || a - b)
  const low = scan(search, frequent)
  const high = scan(search, frequent.reverse())
  return high !== null && (low === null || high.gain > low.gain) ? high : low
}

function oneAgainstRest(search: SplitSearch, present: readonly number[]): Split | null {
  const { histogram, offset, settings } = search
  let best: Split | null = null
  for (const bin of present) {
    const at = offset + binWidth * bin
    const left = { gradient: histogram[at]!, hessian: histogram[at + 1]!, rows: histogram[at + 2]! }
    const gain = splitGain(left, search, settings.lambda)
    if (gain > (best?.gain ?? 0)) best = splitOf(search, left, { gain, lambda: settings.lambda, set: [bin] })
  }
  return best
}

/** Tries the beginnings of `order`, up to half of it. */
function scan(search: SplitSearch, order: readonly number[]): Split | null {
  const { histogram, offset, leaf, settings } = search
  const lambda = settings.lambda + settings.categoryLambda
  const most = Math.min(settings.maxCategoriesInSet, (order.length + 1) >>> 1)
  let [gradient, hessian, rows, group] = [0, 0, 0, 0]
  let best: Split | null = null
  for (let taken = 1; taken <= most; taken++) {
    const at = offset + binWidth * order[taken - 1]!
    gradient += histogram[at]!
    hessian += histogram[at + 1]!
    rows += histogram[at + 2]!
    group += histogram[at + 2]!
    if (leaf.rows - rows < settings.minRowsPerCategoryGroup) break
    if (group < settings.minRowsPerCategoryGroup) continue
    group = 0
    const left = { gradient, hessian, rows }
    const gain = splitGain(left, search, lambda)
    if (gain > (best?.gain ?? 0)) best = splitOf(search, left, { gain, lambda, set: order.slice(0, taken) })
  }
  return best
}

function splitOf(
  { feature }: SplitSearch,
  left: Split['left'],
  { gain, lambda, set }: Pick<Split, 'gain' | 'lambda' | 'set'>,
): Split {
  return { feature, gain, left, lambda, bin: -1, set, missingLeft: false }
}
