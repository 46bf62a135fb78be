import type { PinFacts } from '@freshet/ranking/features/read-candidates'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import type { RankingPage } from '@freshet/ranking/serving/page'
import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'
import type { HealthConfig } from './health/config.ts'
import { createModelHealth, type HealthReport } from './health/health.ts'
import type { ShadowReport } from './shadow/comparison.ts'
import { createShadow } from './shadow/shadow.ts'
import type { SideModel } from './side-model.ts'

/** What a watch works with. */
export interface ModelWatchOptions {
  readonly config: HealthConfig
  /** The slot of the model that serves. */
  readonly models: ModelSlot
  readonly shadow: () => SideModel | null
  readonly facts: PinFacts
  /** Resolves after the answer of the request went out. */
  readonly pause: () => Promise<void>
  readonly onError: (error: Error) => void
  /** Receives a line when the inputs of the model cross a threshold. */
  readonly onUnhealthy: (warning: string) => void
}

/** Watches the pages that were scored: the inputs of the serving model, and the shadow. */
export interface ModelWatch {
  /** Takes a page that a model has scored. `sessionId` is '' if it is not known. */
  onScored(page: RankingPage, sessionId: string, model: ServingModel, scores: PageScores): void
  /** The last window; null: none is complete. */
  health(): HealthReport | null
  /** null: there is no shadow. */
  shadow(): ShadowReport | null
  /** What is wrong with the inputs of the model; null: nothing is known. */
  warning(): string | null
  /** Resolves when the shadow has nothing to do. */
  idle(): Promise<void>
}

/** Creates a watch. It looks at pages of the serving model only: a canary has other users and another training. */
export function createModelWatch(options: ModelWatchOptions): ModelWatch {
  const { models } = options
  const health = createModelHealth(options.config, options.onUnhealthy)
  const shadow = createShadow({ ...options, current: options.shadow })
  return {
    onScored(page, sessionId, model, scores) {
      if (models.use((serving) => serving !== model)) return
      const session = sessionId === '' ? '' : `${page.request.userId}/${sessionId}`
      health.observe({ model, scores, session })
      shadow.offer(page, model, scores)
    },
    health: () => health.report(),
    shadow: () => shadow.report(),
    warning: () => health.warning(),
    idle: () => shadow.idle(),
  }
}
