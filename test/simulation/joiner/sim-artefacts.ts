import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { Random } from '@freshet/domain/clock'
import { SimulatedFault } from '../scheduler.ts'

/** A process that uses the artefacts; once it is dead, no call of it ever comes back. */
export interface ArtefactUser {
  readonly artefacts: ArtefactStore
  /** Resolves when the process dies at a call. */
  readonly died: Promise<void>
}

/** Files that outlive processes. Calls may be refused, done and yet refused, or the last thing a process does. */
export interface SimArtefacts {
  /** The files as they are, for the checks. */
  readonly files: ArtefactStore
  /** From now on nothing fails. */
  calm(): void
  boot(): ArtefactUser
}

/** Files of which calls fail with the given probabilities. */
export function createSimArtefacts(
  random: Random,
  faults: { readonly refused: number; readonly crash: number },
): SimArtefacts {
  const files = createMemoryArtefactStore()
  let isCalm = false
  return {
    files,
    calm() {
      isCalm = true
    },
    boot() {
      let die = (): void => undefined
      const died = new Promise<void>((resolve) => (die = resolve))
      let isDead = false
      const never = <T>(): Promise<T> => new Promise<T>(() => undefined)
      const call = async <T>(effect: () => Promise<T>): Promise<T> => {
        if (isDead) return never<T>()
        const draw = isCalm ? 1 : random.next()
        const isDone = random.next() < 0.5
        if (draw >= faults.refused + faults.crash) return effect()
        if (isDone) await effect()
        if (draw < faults.refused) throw new SimulatedFault('an artefact')
        isDead = true
        die()
        return never<T>()
      }
      return {
        died,
        artefacts: {
          put: (name, bytes) => call(() => files.put(name, bytes)),
          get: (name) => call(() => files.get(name)),
          list: (prefix) => call(() => files.list(prefix)),
          remove: (name) => call(() => files.remove(name)),
        },
      }
    },
  }
}
