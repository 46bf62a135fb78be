import { planFeatures, type FeaturePlan } from '../features/plan.ts'
import { ModelError } from './model-error.ts'
import type { Scorer } from './scorer.ts'

/** Builds a scorer: from a spec file today, from a trained artefact later. */
export interface ModelSource {
  /** The origin of the model for messages, for example the path of its file. */
  readonly name: string
  /** Loads the model. The slot rethrows its errors. */
  build(): Promise<Scorer>
}

/** A model that can serve: the scorer, and the plan that reads its features. */
export interface ServingModel {
  readonly scorer: Scorer
  readonly plan: FeaturePlan
}

/**
 * Holds the model that serves. The slot loads, checks and warms up a new model while the old one serves, then replaces the old
 * one in one step. It frees the old model's tensors when the last work that uses it has ended.
 */
export interface ModelSlot {
  /** Runs work with the current model. The work keeps this model to its end, even if it is asynchronous. */
  use<Result>(work: (model: ServingModel) => Result): Result
  /**
   * Builds a model, makes it the current one and resolves to it. If it cannot serve, throws the error (from `build`, or a
   * ModelError), and the old model continues to serve. Does nothing if the same model (same version, same plan) serves already.
   * Swaps run one after the other.
   */
  swap(source: ModelSource): Promise<ServingModel>
  /** Number of successful and of rejected swaps since the slot was opened. */
  stats(): { readonly swapped: number; readonly refused: number }
  /** Waits for a running swap, and frees the model when no work uses it. Do not use the slot afterwards. */
  close(): Promise<void>
}

interface Held {
  readonly model: ServingModel
  uses: number
  isRetired: boolean
}

/** Opens a slot with its first model. Throws if that model cannot serve. */
export async function openModelSlot(first: ModelSource): Promise<ModelSlot> {
  let serving: Held = { model: await load(first), uses: 0, isRetired: false }
  let lastSwap: Promise<unknown> = Promise.resolve()
  let swapped = 0
  let refused = 0

  async function takeOver(source: ModelSource): Promise<ServingModel> {
    try {
      const model = await load(source)
      const old = serving
      if (isSame(model, old.model)) {
        model.scorer.dispose()
        return old.model
      }
      serving = { model, uses: 0, isRetired: false }
      swapped++
      retire(old)
      return model
    } catch (error) {
      refused++
      throw error
    }
  }

  return {
    use(work) {
      const held = serving
      held.uses++
      let result
      try {
        result = work(held.model)
      } catch (error) {
        release(held)
        throw error
      }
      if (!(result instanceof Promise)) {
        release(held)
        return result
      }
      return result.finally(() => release(held)) as typeof result
    },
    swap(source) {
      const swap = lastSwap.then(() => takeOver(source))
      lastSwap = swap.catch(() => undefined)
      return swap
    },
    stats: () => ({ swapped, refused }),
    async close() {
      await lastSwap
      retire(serving)
    },
  }
}

function isSame({ scorer: a }: ServingModel, { scorer: b }: ServingModel): boolean {
  return a.version === b.version && a.planVersion === b.planVersion
}

function release(held: Held): void {
  held.uses--
  if (held.isRetired && held.uses === 0) held.model.scorer.dispose()
}

function retire(held: Held): void {
  if (held.isRetired) return
  held.isRetired = true
  if (held.uses === 0) held.model.scorer.dispose()
}

/** Builds a model, checks it and warms it up. Frees the tensors of a model that cannot serve. */
async function load(source: ModelSource): Promise<ServingModel> {
  const scorer = await source.build()
  try {
    const model = { scorer, plan: makePlan(scorer, source.name) }
    warm(model, source.name)
    return model
  } catch (error) {
    scorer.dispose()
    throw error
  }
}

function makePlan(scorer: Scorer, from: string): FeaturePlan {
  try {
    return planFeatures(scorer.featureNames)
  } catch (error) {
    const { message } = error as Error
    throw new ModelError(
      'MODEL_MISMATCHED',
      `${describeModel(scorer, from)} reads features of another version: ${message}`,
      {
        cause: error,
      },
    )
  }
}

/** Sizes of the pages that a model must score before it serves: one candidate, and more than a kernel processes at a time. */
const warmPages = [1, 500] as const

/** Scores pages of missing values and checks the results, so that the first request is not slow. */
function warm({ scorer, plan }: ServingModel, from: string): void {
  const row = plan.features.flatMap(({ width, missing }) => Array.from({ length: width }, () => missing))
  for (const candidates of warmPages) {
    const page = Float32Array.from({ length: candidates * plan.width }, (_, at) => row[at % plan.width]!)
    const problem = findProblem(scorer, page, candidates)
    if (problem !== null)
      throw new ModelError('MODEL_BROKEN', `${describeModel(scorer, from)} ${problem.text}`, problem)
  }
}

function findProblem(scorer: Scorer, page: Float32Array, candidates: number): { text: string; cause?: unknown } | null {
  try {
    const { utilities, probabilities } = scorer.score(page, candidates)
    const wanted = candidates * scorer.actions.length
    if (utilities.length !== candidates || probabilities.length !== wanted)
      return {
        text: `gives ${utilities.length} utilities and ${probabilities.length} probabilities for ${candidates} candidates and ${scorer.actions.length} actions`,
      }
    if (!utilities.every(Number.isFinite)) return { text: 'gives utilities that are not finite' }
    if (!probabilities.every((p) => p >= 0 && p <= 1)) return { text: 'gives probabilities outside of [0, 1]' }
    return null
  } catch (cause) {
    return { text: `cannot score: ${(cause as Error).message}`, cause }
  }
}

function describeModel({ version, planVersion }: Scorer, from: string): string {
  return `the model ${version} (plan ${planVersion}, from ${from})`
}
