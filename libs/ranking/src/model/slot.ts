import { planFeatures, type FeaturePlan } from '../features/plan.ts'
import { ModelError } from './model-error.ts'
import type { Scorer } from './scorer.ts'

/** A way to build a scorer: from a spec file today, from a trained artefact later. */
export interface ModelSource {
  /** Where the model comes from, for people; for example the path of its file. */
  readonly name: string
  /** Loads the model. What it throws is what the slot throws. */
  build(): Promise<Scorer>
}

/** A model that serves: the scorer, and the plan that reads its features. */
export interface ServingModel {
  readonly scorer: Scorer
  readonly plan: FeaturePlan
}

/**
 * The place of the one model that serves. A new model is loaded, checked and warmed beside the old one and then takes its
 * place at once. The old model's tensors are freed when the last work that holds it has ended.
 */
export interface ModelSlot {
  /** Runs work with the model that serves now. The work sees this one model to its end, across waits as well. */
  use<Result>(work: (model: ServingModel) => Result): Result
  /**
   * Builds a model, lets it serve and resolves to it. Where it cannot serve, throws why (what `build` throws, or a
   * ModelError), and the old model serves on. A model that serves already (same version, same plan) is not swapped.
   * Swaps run one after the other.
   */
  swap(source: ModelSource): Promise<ServingModel>
  /** How many models took over and how many were refused since the slot was opened. */
  stats(): { readonly swapped: number; readonly refused: number }
  /** Waits for a swap under way, and frees the model once no work holds it. The slot must not be used afterwards. */
  close(): Promise<void>
}

interface Held {
  readonly model: ServingModel
  uses: number
  isRetired: boolean
}

/** Opens a slot with its first model. Throws where that model cannot serve. */
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

/** Builds, checks and warms. A model that cannot serve leaves no tensors behind. */
async function load(source: ModelSource): Promise<ServingModel> {
  const scorer = await source.build()
  try {
    const model = { scorer, plan: planOf(scorer, source.name) }
    warm(model, source.name)
    return model
  } catch (error) {
    scorer.dispose()
    throw error
  }
}

function planOf(scorer: Scorer, from: string): FeaturePlan {
  try {
    return planFeatures(scorer.featureNames)
  } catch (error) {
    const { message } = error as Error
    throw new ModelError('MODEL_MISMATCHED', `${nameOf(scorer, from)} reads features of another version: ${message}`, {
      cause: error,
    })
  }
}

/** Candidates of the pages that a model has to score before it serves: one, and more than a kernel takes at a time. */
const warmPages = [1, 500] as const

/** Scores pages of missing values, so that the first request is not the slow one, and looks at the numbers. */
function warm({ scorer, plan }: ServingModel, from: string): void {
  const row = plan.features.flatMap(({ width, missing }) => Array.from({ length: width }, () => missing))
  for (const candidates of warmPages) {
    const page = Float32Array.from({ length: candidates * plan.width }, (_, at) => row[at % plan.width]!)
    const problem = problemOf(scorer, page, candidates)
    if (problem !== null) throw new ModelError('MODEL_BROKEN', `${nameOf(scorer, from)} ${problem.text}`, problem)
  }
}

function problemOf(scorer: Scorer, page: Float32Array, candidates: number): { text: string; cause?: unknown } | null {
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

function nameOf({ version, planVersion }: Scorer, from: string): string {
  return `the model ${version} (plan ${planVersion}, from ${from})`
}
