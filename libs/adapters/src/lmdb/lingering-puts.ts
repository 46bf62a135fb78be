import type { LmdbEnvironment } from './environment.ts'

/** Puts that linger, by scope, partition and key, so that reads can wait for them. */
export interface LingeringPuts {
  /** Resolves when the puts of these keys are written or have failed; absent: those of all keys. */
  written(scope?: string, partition?: number, keys?: readonly string[]): Promise<void>
  /** Settles as the put does, and holds it until then. */
  hold(
    place: { readonly scope: string; readonly partition: number; readonly key: string },
    put: Promise<void>,
  ): Promise<void>
}

/** Creates the memory of the puts that linger in an environment. */
export function createLingeringPuts(environment: Pick<LmdbEnvironment, 'hurry'>): LingeringPuts {
  const puts = new Map<string, Promise<void>>()
  return {
    async written(scope = '', partition = 0, keys) {
      if (puts.size === 0) return
      const names = keys === undefined ? [...puts.keys()] : keys.map((key) => nameOf(scope, partition, key))
      const found = names.flatMap((name) => puts.get(name) ?? [])
      if (found.length === 0) return
      environment.hurry()
      // Whoever put the value gets the error.
      await Promise.allSettled(found)
    },
    async hold({ scope, partition, key }, put) {
      const name = nameOf(scope, partition, key)
      puts.set(name, put)
      try {
        await put
      } finally {
        if (puts.get(name) === put) puts.delete(name)
      }
    },
  }
}

function nameOf(scope: string, partition: number, key: string): string {
  return `${scope}\0${partition}\0${key}`
}
