import type { ModelRecord } from '@freshet/domain/model-record'

/** What the job did since its start. */
export interface RankingStats {
  /** Rows of shown pins in memory. */
  readonly rows: number
  /** Rows of the last training that could not be used, by reason. */
  readonly leftOut: ReadonlyMap<string, number>
  /** Trainings by what became of them: `published`, why the gate rejected the model, or the code of the error that ended it. */
  readonly outcomes: ReadonlyMap<string, number>
  /** Seconds that the last training took; null: none ended yet. */
  readonly seconds: number | null
  /** When the newest model of the registry was published, milliseconds since the epoch; null: there is none. */
  readonly newestAtMs: number | null
}

/** When the newest model was trained that was not rejected. */
export function newestOf(models: readonly ModelRecord[]): number | null {
  const trained = models.filter(({ stage }) => stage !== 'rejected').map(({ trainedAtMs }) => trainedAtMs)
  return trained.length === 0 ? null : Math.max(...trained)
}
