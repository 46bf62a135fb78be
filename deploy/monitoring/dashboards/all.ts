import { degradation } from './degradation.ts'
import { ingest } from './ingest.ts'
import { models } from './models.ts'
import { overview } from './overview.ts'
import type { Dashboard } from './panel.ts'
import { serving } from './serving.ts'
import { sources } from './sources.ts'
import { state } from './state.ts'
import { updater } from './updater.ts'

/** The dashboards, in the order of the README. */
export const dashboards: readonly Dashboard[] = [
  overview,
  ingest,
  updater,
  state,
  serving,
  sources,
  models,
  degradation,
]
