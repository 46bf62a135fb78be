import type { Clock } from '@freshet/domain/clock'
import { readSpecFile, specTextSource } from './spec-file.ts'
import type { ModelSlot, ServingModel } from './slot.ts'

/** What a follower looks at, and whom it tells. */
export interface SpecFollowerOptions {
  readonly models: ModelSlot
  readonly file: string
  /** Pause between two looks at the file, milliseconds. */
  readonly everyMs: number
  readonly clock: Clock
  /** A changed spec cannot serve; the model before it serves on. Reported once per content of the file. */
  readonly onRefused: (error: Error) => void
  readonly onSwapped?: (model: ServingModel) => void
}

/** Lets a spec serve when its file changes. */
export interface SpecFollower {
  /** Looks at the file once. */
  look(): Promise<void>
  /** Looks until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
  /** Why the file as it is now does not serve, for people; null: it does. */
  refusal(): string | null
}

/**
 * Follows a spec's file by its content, so that a file that is replaced, linked elsewhere (as Kubernetes does) or written in
 * place is seen alike. A half-written file is refused, and taken when it is whole.
 */
export function createSpecFollower(options: SpecFollowerOptions): SpecFollower {
  const { models, file, everyMs, clock, onRefused, onSwapped } = options
  /** Content or error of the last look; null: no look yet. */
  let seen: string | null = null
  let refusal: string | null = null

  async function look(): Promise<void> {
    const found = await readSpecFile(file).catch((error: unknown) => error as Error)
    const now = typeof found === 'string' ? found : found.message
    if (now === seen) return
    seen = now
    const before = models.use((model) => model)
    try {
      if (typeof found !== 'string') throw found
      const model = await models.swap(specTextSource(file, found))
      refusal = null
      if (model !== before) onSwapped?.(model)
    } catch (error) {
      refusal = `the model ${before.scorer.version} serves on: ${(error as Error).message}`
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
