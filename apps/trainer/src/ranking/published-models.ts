import type { LogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { Clock } from '@freshet/domain/clock'

const retryMs = 10_000

/** Where the trainer publishes models, and keeps copies of them. */
export interface PublishedModelsOptions {
  /** The log, from which rankers read them. */
  readonly published: LogArtefactStore
  /** The trainer's own folder; null: no copies. */
  readonly folder: ArtefactStore | null
  readonly clock: Clock
  readonly onError: (error: Error) => void
}

/** The store of models of the trainer. */
export interface PublishedModels extends ArtefactStore {
  /**
   * Publishes models that are in the folder only, as trainers before 0.2 left them, and removes what a killed trainer began to publish.
   * Resolves when that is done or after `stop`; reports errors and tries again.
   */
  settle(): Promise<void>
  stop(): Promise<void>
}

/** A model is published when `put` resolves. The copy in the folder saves the trainer from reading the log, and serves rankers that go back to an earlier version. */
export function createPublishedModels({ published, folder, clock, onError }: PublishedModelsOptions): PublishedModels {
  const stopping = new AbortController()
  let settling: Promise<void> = Promise.resolve()

  async function settleOnce(): Promise<void> {
    const call = { signal: stopping.signal }
    await published.removeUnfinished(call)
    if (folder === null) return
    const known = new Set(await published.list('models/', call))
    for (const name of await folder.list('models/', call))
      try {
        if (!known.has(name)) await published.put(name, await folder.get(name, call), call)
      } catch (error) {
        if (!isHopeless(error)) throw error
        // The others must not wait for it.
        onError(error as Error)
      }
  }

  async function settle(): Promise<void> {
    while (!stopping.signal.aborted)
      try {
        return await settleOnce()
      } catch (error) {
        if (stopping.signal.aborted) return
        onError(error as Error)
        await clock.sleep(retryMs, stopping.signal).catch(() => undefined)
      }
  }

  return {
    async put(name, bytes, call) {
      await folder?.put(name, bytes, call)
      // What a full log broke off would stay until the next start.
      await published.removeUnfinished(call)
      await published.put(name, bytes, call)
    },
    async get(name, call) {
      try {
        if (folder !== null) return await folder.get(name, call)
      } catch (error) {
        if (!isContractError(error, 'ARTEFACT_MISSING')) throw error
      }
      return published.get(name, call)
    },
    async list(prefix, call) {
      const names = [...(await published.list(prefix, call)), ...((await folder?.list(prefix, call)) ?? [])]
      return [...new Set(names)].sort()
    },
    async remove(name, call) {
      await folder?.remove(name, call)
      await published.remove(name, call)
    },
    settle: () => (settling = settle()),
    async stop() {
      stopping.abort()
      await settling
    },
  }
}

/** Whether it is of no use to try again: the artefact is too large, has another name or is gone. */
function isHopeless(error: unknown): boolean {
  const codes = ['ARTEFACT_TOO_LARGE', 'ARTEFACT_NAME', 'ARTEFACT_MISSING'] as const
  return codes.some((code) => isContractError(error, code))
}
