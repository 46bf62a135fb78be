import type { Plan } from '../plan/plan.ts'

/** What one head adds to the utility of a mean candidate. */
export interface UtilityShare {
  readonly head: string
  readonly kind: 'probability' | 'amount'
  /** Utility of one such action, or of one unit of the amount. */
  readonly weight: number
  /** Mean probability, or mean amount in the unit of the label; null: not known. */
  readonly meanPrediction: number | null
  /** Weight × mean prediction. */
  readonly utility: number | null
  /** The magnitude of that as a share of the sum of all magnitudes, 0 to 1; null: a mean of some head is not known. */
  readonly share: number | null
}

/** Shares of the heads in the utility. `means`: mean predictions by name of head. */
export function utilitySharesOf(
  { heads, utility }: Pick<Plan, 'heads' | 'utility'>,
  means: ReadonlyMap<string, number>,
): readonly UtilityShare[] {
  const parts = utility.map(({ head, weight }) => {
    const meanPrediction = means.get(head) ?? null
    const { kind } = heads.find(({ name }) => name === head)!
    return { head, kind, weight, meanPrediction, utility: meanPrediction === null ? null : weight * meanPrediction }
  })
  const isKnown = parts.every((part) => part.utility !== null)
  const total = parts.reduce((sum, part) => sum + Math.abs(part.utility ?? 0), 0)
  return parts.map((part) => ({
    ...part,
    share: isKnown && total > 0 ? Math.abs(part.utility!) / total : null,
  }))
}

/** Shares as a table. `source`: where the mean predictions are from. */
export function formatUtilityShares(shares: readonly UtilityShare[], source: string): readonly string[] {
  const number = (value: number | null): string => (value === null ? '–' : `${Number(value.toPrecision(4))}`)
  const rows = [
    ['head', 'weight', 'mean prediction', 'weight × mean', 'share'],
    ...shares.map(({ head, kind, weight, meanPrediction, utility, share }) => [
      kind === 'probability' ? `P(${head})` : `E[${head}]`,
      `${weight}`,
      number(meanPrediction),
      number(utility),
      share === null ? '–' : `${(100 * share).toFixed(1)} %`,
    ]),
  ]
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((cells) => cells[at]!.length)))
  return [
    `what each head adds to the utility, by the mean predictions of ${source}:`,
    ...rows.map(
      (cells) =>
        `  ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ')}`,
    ),
  ]
}
