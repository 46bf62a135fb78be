import { createVersionMemory } from '@freshet/domain/version-memory'
import type { InputStatistics } from '@freshet/ranking/artefact/manifest'
import type { HealthConfig } from './config.ts'
import { createFeatureWindow, type FeatureHealth, type FeatureWindow } from './feature-window.ts'
import { topRows } from './top-rows.ts'

/** What a threshold is about. */
export const healthChecks = ['missing', 'frequent', 'drift', 'mixed-models'] as const
export type HealthCheck = (typeof healthChecks)[number]

/** A page as the serving model scored it. */
export interface ScoredPage {
  readonly model: {
    readonly version: string
    readonly planVersion: string
    readonly featureNames: readonly string[]
    /** The values from which it learned, by name of feature; empty: it does not know them. */
    readonly trained: ReadonlyMap<string, InputStatistics>
  }
  /** The utilities, and the features of some rows. */
  readonly scores: {
    readonly utilities: Float32Array
    readRows(rows: Int32Array): { readonly features: Float32Array }
  }
  /** Who sees the page; '': not known. */
  readonly session: string
}

/** The last complete window. */
export interface HealthReport {
  /** The model whose inputs these are. */
  readonly model: string
  readonly rows: number
  readonly features: readonly FeatureHealth[]
  /** Share of pages whose session had another model before; null: no page followed another one. */
  readonly mixedShare: number | null
  /** Names of features (for `mixed-models`: of the model) beyond the threshold, by check. */
  readonly crossed: Readonly<Record<HealthCheck, readonly string[]>>
}

/** Watches the inputs of the serving model. */
export interface ModelHealth {
  /** Takes a page. Cheap for pages that are not sampled. */
  observe(page: ScoredPage): void
  /** null: no window is complete yet for the model that serves. */
  report(): HealthReport | null
  /** What is beyond a threshold, in one line; null: nothing. */
  warning(): string | null
}

/** How many sessions are remembered. */
const rememberedSessions = 16_384
/** A warning names at most this many features of a check. */
const maxNamed = 5

/** Creates the watch. `onCrossed` gets the warning when it begins, and again only after a window without one. */
export function createModelHealth(config: HealthConfig, onCrossed: (warning: string) => void): ModelHealth {
  const sessions = createVersionMemory(rememberedSessions)
  /** Pages since the last window that followed a page of their session, and those of them with another model. */
  let following = 0
  let mixed = 0
  const ignored = new Set(config.ignoredFeatures)
  let key = ''
  let window: FeatureWindow | null = null
  let pages = 0
  let report: HealthReport | null = null
  let warning: string | null = null

  function follow({ session, model }: ScoredPage): void {
    const before = session === '' ? 'first' : sessions.see(session, model.version)
    if (before === 'first') return
    following++
    if (before === 'other') mixed++
  }

  function begin({ model }: ScoredPage): FeatureWindow {
    return createFeatureWindow(model.featureNames, model.trained)
  }

  function close({ model }: ScoredPage, full: FeatureWindow): void {
    const features = full.health()
    const mixedShare = following === 0 ? null : mixed / following
    following = mixed = 0
    const named = (isBeyond: (feature: FeatureHealth) => boolean): readonly string[] =>
      features.filter((feature) => !ignored.has(feature.name) && isBeyond(feature)).map(({ name }) => name)
    const rises = (now: number | null, before: number | null): boolean =>
      now !== null && before !== null && now - before > config.maxMissingRise
    const crossed = {
      missing: named(({ missing, trainedMissing }) => rises(missing, trainedMissing)),
      frequent: named(({ frequent, trainedFrequent }) => rises(frequent, trainedFrequent)),
      drift: named(({ drift }) => drift !== null && drift > config.maxDrift),
      'mixed-models': mixedShare !== null && mixedShare > config.maxMixedShare ? [model.version] : [],
    }
    report = { model: model.version, rows: full.rows, features, mixedShare, crossed }
    const before = warning
    warning = warningOf(report)
    if (warning !== null && before === null) onCrossed(warning)
  }

  return {
    observe(page) {
      const { everyPages, windowRows, topRows: most } = config
      if (everyPages === 0) return
      follow(page)
      if (pages++ % everyPages !== 0) return
      const pageKey = `${page.model.version} ${page.model.planVersion}`
      if (pageKey !== key) {
        key = pageKey
        window = report = warning = null
      }
      window ??= begin(page)
      const { scores } = page
      const top = topRows(scores.utilities, most)
      window.add(scores.readRows(top).features, top.length)
      if (window.rows < windowRows) return
      close(page, window)
      window = null
    },
    report: () => report,
    warning: () => warning,
  }
}

const checkTexts: Readonly<Record<HealthCheck, string>> = {
  missing: 'have no value more often than in training',
  frequent: 'have their most frequent value more often than in training',
  drift: 'are distributed otherwise than in training',
  'mixed-models': 'scored pages of sessions that began with another model',
}

function warningOf({ model, crossed }: HealthReport): string | null {
  const parts = healthChecks.flatMap((check) => {
    const names = crossed[check]
    if (names.length === 0) return []
    const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : ''
    return `${names.slice(0, maxNamed).join(', ')}${more} ${checkTexts[check]}`
  })
  return parts.length === 0 ? null : `the inputs of the model ${model}: ${parts.join('; ')}`
}
