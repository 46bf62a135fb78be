import { hash32 } from '@freshet/domain/hash'

/** Counts pages that follow a page of another model in the same session. */
export interface MixedSessions {
  /** `session`: who sees the pages, '' for nobody known. */
  see(session: string, model: string): void
  /** Share of mixed pages among those that follow a page of their session, since the last call; null: there were none. */
  take(): number | null
}

/**
 * Remembers the last model of about `size` sessions as two numbers each. A session that needs the place of another one takes it,
 * so memory is fixed, and a long pause can make a mixed page count as a first one.
 */
export function createMixedSessions(size: number): MixedSessions {
  const sessions = new Uint32Array(size)
  const models = new Uint32Array(size)
  let following = 0
  let mixed = 0
  return {
    see(session, model) {
      if (session === '') return
      // 0 marks an empty place.
      const id = hash32(session) || 1
      const place = id % size
      const modelId = hash32(model)
      if (sessions[place] === id) {
        following++
        if (models[place] !== modelId) mixed++
      }
      sessions[place] = id
      models[place] = modelId
    },
    take() {
      const share = following === 0 ? null : mixed / following
      following = mixed = 0
      return share
    },
  }
}
