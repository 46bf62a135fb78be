import { createCalibration, type Calibration } from '../merge/calibration.ts'
import type { RetrievalConfig } from '../config.ts'
import type { Mode } from '../merge/modes.ts'
import { createHits, type Hits } from '@freshet/columns/score-board'
import { sourceDefinitions } from '../source-definitions.ts'
import type { SharedViews, Source } from '../source.ts'

/** An enabled source: where its answers go, how long it may take, and how the merge weighs them. */
export interface EnabledSource {
  readonly source: Source
  readonly hits: Hits
  readonly share: number
  readonly scale: 'probability' | 'relative'
  readonly deadlineMs: number
  /** The learned worth of each of its ranks, for each kind of query. */
  readonly worths: Readonly<Record<Mode, Float64Array>>
}

/** Creates the enabled sources of a configuration, in the order of answers, and the calibrations of their ranks. */
export function createEnabledSources(
  config: RetrievalConfig,
  views: SharedViews,
): { readonly enabled: readonly EnabledSource[]; readonly calibrations: Readonly<Record<Mode, Calibration>> } {
  const made = sourceDefinitions.flatMap((definition) => {
    const settings = config.sources[definition.name]
    if (settings === undefined || !settings.enabled) return []
    const source = definition.create(views, settings.parameters)
    const { share, maxCandidates, deadlineMs } = settings
    return [{ source, hits: createHits(maxCandidates), share, scale: source.scale ?? 'relative', deadlineMs }]
  })
  const calibrate = (): Calibration =>
    createCalibration(
      made.map(({ source: { name }, share, hits }) => ({ name, share, maxCandidates: hits.rows.length })),
    )
  const calibrations = { closed: calibrate(), open: calibrate(), among: calibrate() }
  const worths = (at: number): Record<Mode, Float64Array> => ({
    closed: calibrations.closed.worthOf(at),
    open: calibrations.open.worthOf(at),
    among: calibrations.among.worthOf(at),
  })
  return { enabled: made.map((entry, at) => ({ ...entry, worths: worths(at) })), calibrations }
}
