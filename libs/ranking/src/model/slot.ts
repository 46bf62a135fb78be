import { noPinFacts, unknownPage } from '../serving/page.ts'
import type { ModelSource, ServingModel } from '../serving/serving-model.ts'
import { ModelError } from './model-error.ts'

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
        model.dispose()
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

function isSame(a: ServingModel, b: ServingModel): boolean {
  return a.version === b.version && a.planVersion === b.planVersion
}

function release(held: Held): void {
  held.uses--
  if (held.isRetired && held.uses === 0) held.model.dispose()
}

function retire(held: Held): void {
  if (held.isRetired) return
  held.isRetired = true
  if (held.uses === 0) held.model.dispose()
}

/** Builds a model and warms it up. Frees the tensors of a model that cannot serve. */
async function load(source: ModelSource): Promise<ServingModel> {
  const model = await source.build()
  try {
    warm(model, source.name)
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** Sizes of the pages that a model must score before it serves: one candidate, and more than a kernel processes at a time. */
const warmPages = [1, 500] as const

/** Scores pages of unknown pins and checks the results, so that the first request is not slow. */
function warm(model: ServingModel, from: string): void {
  for (const candidates of warmPages) {
    const problem = findProblem(model, candidates)
    if (problem === null) continue
    const { version, planVersion } = model
    throw new ModelError(
      'MODEL_BROKEN',
      `the model ${version} (plan ${planVersion}, from ${from}) ${problem.text}`,
      problem,
    )
  }
}

function findProblem(model: ServingModel, candidates: number): { text: string; cause?: unknown } | null {
  const { heads, featureNames, exposedNames } = model
  try {
    const { utilities, predictions, deviations, features, exposed } = model.score(unknownPage(candidates), noPinFacts)
    if (utilities.length !== candidates || predictions.length !== candidates * heads.length)
      return {
        text: `gives ${utilities.length} utilities and ${predictions.length} predictions for ${candidates} candidates and ${heads.length} heads`,
      }
    if (deviations !== null && deviations.length !== candidates)
      return { text: `gives ${deviations.length} deviations of utilities for ${candidates} candidates` }
    if (features.length !== candidates * featureNames.length)
      return {
        text: `gives ${features.length} features for ${candidates} candidates and ${featureNames.length} names`,
      }
    if (exposed.length !== candidates * exposedNames.length)
      return {
        text: `gives ${exposed.length} exposed values for ${candidates} candidates and ${exposedNames.length} names`,
      }
    if (!utilities.every(Number.isFinite)) return { text: 'gives utilities that are not finite' }
    for (const [at, { name, kind }] of heads.entries()) {
      const column = predictions.subarray(at * candidates, (at + 1) * candidates)
      if (kind === 'probability' && !column.every((p) => p >= 0 && p <= 1))
        return { text: `gives probabilities of ${name} outside of [0, 1]` }
      if (kind === 'amount' && !column.every((amount) => amount >= 0 && Number.isFinite(amount)))
        return { text: `gives amounts of ${name} that are negative or not finite` }
    }
    return null
  } catch (cause) {
    return { text: `cannot score: ${(cause as Error).message}`, cause }
  }
}
