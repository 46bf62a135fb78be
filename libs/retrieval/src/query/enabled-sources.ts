import { createCalibration, type Calibration } from '../merge/calibration.ts'
import type { RetrievalConfig } from '../config.ts'
import type { Mode } from '../merge/modes.ts'
import { createHits, type Hits } from '@freshet/columns/score-board'
import { sourceDefinitions } from '../source-definitions.ts'
import type { SharedViews, Source } from '../source.ts'

/** A source that is on: where its answers go, how long it may take, and what the merge makes of them. */
export interface EnabledSource {
  readonly source: Source
  readonly hits: Hits
  readonly share: number
  readonly scale: 'probability' | 'relative'
  readonly deadlineMs: number
  /** What each of its ranks is worth to each kind of question by what was learned. */
  readonly worths: Readonly<Record<Mode, Float64Array>>
}

/** Makes the sources that a configuration has on, in the order of answers, and the calibrations of their ranks. */
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
