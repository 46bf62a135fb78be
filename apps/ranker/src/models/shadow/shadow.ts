import { hash32 } from '@freshet/domain/hash'
import type { ModelRecord } from '@freshet/domain/model-record'
import type { PinFacts } from '@freshet/ranking/features/read-candidates'
import type { RankingPage } from '@freshet/ranking/serving/page'
import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'
import type { SideModel } from '../side-model.ts'
import { createComparison, type Comparison, type ShadowReport } from './comparison.ts'

/** What a shadow works with. */
export interface ShadowOptions {
  /** The shadow of the registry; null: none, or it cannot be loaded. */
  readonly current: () => SideModel | null
  readonly facts: PinFacts
  /** Resolves after the answer of the request went out. */
  readonly pause: () => Promise<void>
  /** Receives the first failure of each shadow. */
  readonly onError: (error: Error) => void
}

/** Lets the shadow score a share of the requests after their answers, and compares. */
export interface Shadow {
  /** Takes a page that the serving model has scored. Never throws, and changes nothing about the answer. */
  offer(page: RankingPage, serving: ServingModel, scores: PageScores): void
  /** null: there is no shadow. */
  report(): ShadowReport | null
  /** Resolves when no page waits. */
  idle(): Promise<void>
}

/** Creates a shadow. A comparison begins again when another model is the shadow or another one serves. */
export function createShadow({ current, facts, pause, onError }: ShadowOptions): Shadow {
  let comparison: Comparison = createComparison()
  let compared = ''
  let reported = ''
  let serving = ''
  let waiting: Promise<void> | null = null

  function comparisonWith(record: ModelRecord): Comparison {
    const pair = `${record.version} ${record.sha256} ${serving}`
    if (pair !== compared) {
      compared = pair
      comparison = createComparison()
    }
    return comparison
  }

  async function score(page: RankingPage, model: ServingModel, scores: PageScores): Promise<void> {
    await pause()
    const side = current()
    if (side === null) return
    const into = comparisonWith(side.record)
    try {
      side.slot.use((shadow) => into.add({ model, scores }, { model: shadow, scores: shadow.score(page, facts) }))
    } catch (error) {
      into.fail()
      if (reported === compared) return
      reported = compared
      onError(new Error(`the shadow ${side.record.version} failed: ${(error as Error).message}`, { cause: error }))
    }
  }

  return {
    offer(page, model, scores) {
      const side = current()
      if (side === null) return
      serving = model.version
      const { version, share } = side.record
      if (hash32(`${version}/${page.request.userId}/${page.atMs}`) / 2 ** 32 >= share) return
      if (waiting !== null) comparisonWith(side.record).skip()
      else waiting = score(page, model, scores).finally(() => (waiting = null))
    },
    report() {
      const side = current()
      if (side === null) return null
      const { version, share } = side.record
      return comparisonWith(side.record).report({ version, share, serving })
    },
    async idle() {
      await waiting
    },
  }
}
