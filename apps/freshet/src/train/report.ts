import type { PlanHead } from '@freshet/ranking/plan/plan'
import type { HeadFigures, ModelFigures } from '@freshet/ranking/training/figures'

/** Figures of one label as the command prints them in JSON. */
export interface LabelReport {
  readonly rows: number
  /** null: an amount, or one class only. */
  readonly auc: number | null
  /** Mean log loss, natural; of an amount the mean squared error of ln(1 + amount). */
  readonly logLoss: number
  /** Σ predicted / Σ label; null: no label is positive. */
  readonly calibration: number | null
  readonly meanPrediction: number
  readonly deciles: HeadFigures['deciles']
}

/** The command's answer as one JSON object. */
export interface TrainReport {
  readonly spec: string
  readonly planHash: string
  readonly rows: number
  readonly epochs: number
  readonly seconds: number
  readonly rowsPerSecond: number
  /** By name of label. null: no such rows were given. */
  readonly validate: Readonly<Record<string, LabelReport>> | null
  readonly test: Readonly<Record<string, LabelReport>> | null
}

/** Figures by name of label. */
export function labelReports(heads: readonly PlanHead[], figures: ModelFigures): Readonly<Record<string, LabelReport>> {
  return Object.fromEntries(
    heads.map(({ name, label }) => {
      const { rows, auc, loss, calibration, meanPrediction, deciles } = figures.get(name)!
      return [label, { rows, auc, logLoss: loss, calibration, meanPrediction, deciles }]
    }),
  )
}

/** The answer for people: a line for each label, and its table by decile. */
export function reportLines(report: TrainReport): readonly string[] {
  const { spec, planHash, rows, epochs, seconds, rowsPerSecond } = report
  const parts = [['validation', report.validate] as const, ['test', report.test] as const]
  return [
    `${spec} (plan ${planHash}): ${rows} rows, ${epochs} epochs, ${seconds.toFixed(1)} s, ${Math.round(rowsPerSecond)} rows/s`,
    ...parts.flatMap(([part, labels]) => (labels === null ? [] : partLines(part, labels))),
  ]
}

function partLines(part: string, labels: Readonly<Record<string, LabelReport>>): readonly string[] {
  return Object.entries(labels).flatMap(([label, { rows, auc, logLoss, calibration, deciles }]) => [
    `${part} · ${label}: AUC ${auc?.toFixed(5) ?? '–'}, log loss ${logLoss.toFixed(5)}, calibration ${calibration?.toFixed(4) ?? '–'} (${rows} rows)`,
    `  decile        rows  predicted   observed`,
    ...deciles.map(
      ({ rows: count, predicted, observed }, at) =>
        `  ${String(at + 1).padStart(6)}${String(count).padStart(12)}${predicted.toFixed(4).padStart(11)}${observed.toFixed(4).padStart(11)}`,
    ),
  ])
}
