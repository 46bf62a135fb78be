import { hash32 } from './hash.ts'

/** Remembers which version the last page of a session came from. */
export interface VersionMemory {
  /** Whether the page before in this session had the same version, or another one; `first`: there was none, or it is forgotten. */
  see(session: string, version: string): 'first' | 'same' | 'other'
}

/**
 * Keeps about `size` sessions as two numbers each. A session that needs the place of another one takes it, so memory is fixed, and
 * after a pause a page can count as a first one.
 */
export function createVersionMemory(size: number): VersionMemory {
  const sessions = new Uint32Array(size)
  const versions = new Uint32Array(size)
  return {
    see(session, version) {
      // 0 marks an empty place.
      const id = hash32(session) || 1
      const place = id % size
      const now = hash32(version)
      const isKnown = sessions[place] === id
      const isSame = versions[place] === now
      sessions[place] = id
      versions[place] = now
      return isKnown ? (isSame ? 'same' : 'other') : 'first'
    },
  }
}
