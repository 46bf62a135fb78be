import { actions, type Action } from '@freshet/domain/engagement'

/** What a user did with one shown pin: a set, so that a repeated event changes nothing. */
export interface PinLabels {
  /** Bit i: `actions[i]`. */
  readonly bits: number
  /** The longest look, milliseconds; -1: not known. */
  readonly dwellMs: number
}

/** Nothing was done. */
export const noLabels: PinLabels = { bits: 0, dwellMs: -1 }

/** Actions that have a creator, board or topic as their subject, never a pin of a feed. */
const notOnPins: readonly Action[] = ['follow', 'unfollow', 'block', 'unblock']

/** The actions on pins: the labels of a row, in this order. */
export const labelActions: readonly Action[] = actions.filter((action) => !notOnPins.includes(action))

/** The bit of an action. */
export function bitOf(action: Action): number {
  return 1 << actions.indexOf(action)
}

/** Adds an action. Returns the same object if it changes nothing. */
export function withAction(
  labels: PinLabels,
  { action, dwellMs }: { readonly action: Action; readonly dwellMs: number | null },
): PinLabels {
  const bits = labels.bits | bitOf(action)
  const longest = Math.max(labels.dwellMs, dwellMs ?? -1)
  return bits === labels.bits && longest === labels.dwellMs ? labels : { bits, dwellMs: longest }
}

/** Whether the user did more than look: such rows are never sampled away. */
export function isActedOn({ bits }: PinLabels): boolean {
  return (bits & ~bitOf('impression')) !== 0
}
