import type { PinCard } from '../api/blender.ts'
import type { Save } from './person/memory.ts'

/** Sources that begin with what the user did. */
const personal = new Set([
  ...['co-occurrence', 'board-co-occurrence', 'pixie-walk', 'long-term-walk', 'pin2vec', 'visual-neighbours'],
  ...['session-neighbours', 'saved-boards'],
])

/** A save that a pin follows from, and how. */
export interface Because {
  readonly save: Save
  /** `topic`: the same topic; `source`: found by a source that begins with the user's actions, of which this save is the newest. */
  readonly how: 'topic' | 'source'
}

/** How old a save may be to be named, ms. */
const namedForMs = 15 * 60_000

/** The newest save on this page that explains a pin; null: none does. */
export function becauseOf(
  pin: { readonly pinId: string; readonly sources: readonly string[] },
  card: PinCard | undefined,
  saves: readonly Save[],
  nowMs: number,
): Because | null {
  const recent = saves.filter(({ pinId, atMs }) => pinId !== pin.pinId && nowMs - atMs < namedForMs)
  const sameTopic = recent.find(({ topics }) => topics.some((topic) => card?.topics.includes(topic)))
  if (sameTopic) return { save: sameTopic, how: 'topic' }
  const newest = recent[0]
  return newest && pin.sources.some((source) => personal.has(source)) ? { save: newest, how: 'source' } : null
}
