import { hash32 } from './hash.ts'

/** The smallest `oneIn`: initially one action in 16 is held out. */
export const heldOutOneIn = 16
const seed = 0x1e550

/** The fields that decide whether an action is held out. */
export interface ActionKey {
  readonly userId: string
  readonly pinId: string
  readonly atMs: number
}

/**
 * Whether an action is held out, by its hash: one in `oneIn` (16, or a multiple of it). The merge of sources learns from
 * held-out actions only, and training of the models behind sources excludes them: the merge would trust a model that has seen the
 * answer too much.
 */
export function isHeldOut({ userId, pinId, atMs }: ActionKey, oneIn = heldOutOneIn): boolean {
  return hash32(`${userId}\n${pinId}\n${atMs}`, seed) % oneIn === 0
}
