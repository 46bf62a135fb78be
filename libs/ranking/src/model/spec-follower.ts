import type { Clock } from '@freshet/domain/clock'
import { readSpecFile, specTextSource, textsOfSpec } from './spec-file.ts'
import type { ModelSource, ServingModel } from '../serving/serving-model.ts'
import type { ModelSlot } from './slot.ts'

/** Options of a follower. */
export interface SpecFollowerOptions {
  readonly models: ModelSlot
  readonly file: string
  /** Pause between two checks of the file, milliseconds. */
  readonly everyMs: number
  readonly clock: Clock
  /** Called once per content of the file if a changed spec cannot serve. The previous model continues to serve. */
  readonly onRefused: (error: Error) => void
  readonly onSwapped?: (model: ServingModel) => void
  /** true: the spec does not serve now, because a trained model does. */
  readonly isPaused?: () => boolean
  /** Called with each spec that the file comes to hold, whether it serves or not. What it throws refuses the spec. */
  readonly onSpec?: (source: ModelSource) => Promise<void>
}

/** Swaps the model when the file of its spec changes. */
export interface SpecFollower {
  /** Checks the file once. */
  look(): Promise<void>
  /** Checks the file regularly until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
  /** A message that says why the current content of the file cannot serve; null: it serves. */
  refusal(): string | null
}

/**
 * Compares the content of the file and of those that it extends, so that it notices a replaced file, a changed link (as Kubernetes does) and a file written in
 * place. It rejects a half-written file, and accepts it when it is complete.
 */
export function createSpecFollower(options: SpecFollowerOptions): SpecFollower {
  const { models, file, everyMs, clock, onRefused, onSwapped } = options
  /** Content of the spec's files, or the error, of the last check; null: none yet. */
  let seen: string | null = null
  let refusal: string | null = null
  let wasPaused = false

  async function look(): Promise<void> {
    const isPaused = options.isPaused?.() === true
    // The spec may serve again, so that it counts as new.
    if (isPaused !== wasPaused) seen = null
    wasPaused = isPaused
    const found = await readSpecFile(file).catch((error: unknown) => error as Error)
    const now = typeof found === 'string' ? textsOfSpec(file, found).join('\0') : found.message
    if (now === seen) return
    seen = now
    const before = models.use((model) => model)
    try {
      if (typeof found !== 'string') throw found
      const source = specTextSource(file, found)
      // A trained model may have come since the file was read.
      if (options.isPaused?.() === true) {
        await options.onSpec?.(source)
        refusal = null
        return
      }
      const model = await models.swap(source)
      refusal = null
      await options.onSpec?.(source)
      if (model !== before) onSwapped?.(model)
    } catch (error) {
      refusal = `the model ${before.version} continues to serve: ${(error as Error).message}`
      onRefused(error as Error)
    }
  }

  return {
    look,
    async run(signal) {
      while (!signal.aborted) {
        await look()
        await clock.sleep(everyMs, signal).catch(() => undefined)
      }
    },
    refusal: () => refusal,
  }
}
