/** A model of the registry, as the operations server says it. */
export interface ModelJson {
  readonly surface: string
  readonly version: string
  readonly stage: 'candidate' | 'shadow' | 'canary' | 'serving' | 'retired' | 'rejected'
  readonly share: number
  readonly reason: string
  readonly planHash: string
  readonly parentVersion: string | null
  readonly trainingRows: number
  readonly at: string
  readonly trainedAt: string
  readonly ageMs: number
  readonly results: readonly {
    readonly head: string
    readonly logLoss: number
    readonly servingLogLoss: number | null
  }[]
  readonly metrics: Readonly<
    Record<string, { readonly auc?: number | null; readonly calibration?: number | null }>
  > | null
}

/** The models of each surface, oldest change first. */
export interface ModelsAnswer {
  readonly surfaces: readonly {
    readonly surface: string
    readonly serving: string
    readonly models: readonly ModelJson[]
  }[]
}

/** The results of a head of a model. */
export interface HeadRow {
  readonly head: string
  readonly logLoss: number
  readonly servingLogLoss: number | null
  readonly auc: number | null
  readonly calibration: number | null
}

/** The results of a model by head, in alphabetical order. */
export function headsOf({ results, metrics }: Pick<ModelJson, 'results' | 'metrics'>): readonly HeadRow[] {
  return results
    .map(({ head, logLoss, servingLogLoss }) => ({
      ...{ head, logLoss, servingLogLoss },
      auc: metrics?.[head]?.auc ?? null,
      calibration: metrics?.[head]?.calibration ?? null,
    }))
    .toSorted((a, b) => a.head.localeCompare(b.head))
}

/** A metric of every head over the models, in the order of their training. */
export function metricsOverTime(
  models: readonly ModelJson[],
  metric: 'logLoss' | 'auc' | 'calibration',
): {
  readonly names: readonly string[]
  readonly heads: readonly string[]
  readonly series: readonly (readonly (number | null)[])[]
} {
  const trained = models
    .filter((model) => headsOf(model).some((head) => head[metric] !== null))
    .toSorted((a, b) => Date.parse(a.trainedAt) - Date.parse(b.trainedAt))
  const heads = [...new Set(trained.flatMap((model) => headsOf(model).map(({ head }) => head)))].toSorted()
  const series = heads.map((head) =>
    trained.map((model) => headsOf(model).find((each) => each.head === head)?.[metric] ?? null),
  )
  return { names: trained.map(({ version }) => version), heads, series }
}
