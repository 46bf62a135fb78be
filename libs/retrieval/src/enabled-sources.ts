import { createCalibration, type Calibration } from './calibration.ts'
import type { RetrievalConfig } from './config.ts'
import { createHits, type Hits } from './score-board.ts'
import { sourceDefinitions } from './source-definitions.ts'
import type { SharedViews, Source } from './source.ts'

/** A source that is on: where its answers go, how long it may take, and what the merge makes of them. */
export interface EnabledSource {
  readonly source: Source
  readonly hits: Hits
  readonly share: number
  readonly scale: 'probability' | 'relative'
  readonly deadlineMs: number
  /** What each of its ranks is worth by what the calibration has learned. */
  readonly worth: Float64Array
}

/** Makes the sources that a configuration has on, in the order of answers, and the calibration of their ranks. */
export function createEnabledSources(
  config: RetrievalConfig,
  views: SharedViews,
): { readonly enabled: readonly EnabledSource[]; readonly calibration: Calibration } {
  const made = sourceDefinitions.flatMap((definition) => {
    const settings = config.sources[definition.name]
    if (settings === undefined || !settings.enabled) return []
    const source = definition.create(views, settings.parameters)
    const { share, maxCandidates, deadlineMs } = settings
    return [{ source, hits: createHits(maxCandidates), share, scale: source.scale ?? 'relative', deadlineMs }]
  })
  const calibration = createCalibration(
    made.map(({ source: { name }, share, hits }) => ({ name, share, maxCandidates: hits.rows.length })),
  )
  return { enabled: made.map((entry, at) => ({ ...entry, worth: calibration.worthOf(at) })), calibration }
}
