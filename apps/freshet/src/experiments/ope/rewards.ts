import { bitOf, type PinLabels } from '@freshet/trainer/joiner/labels'

/** What can be the reward of a position. */
export const rewardNames = ['save', 'click', 'closeup', 'hide', 'dwell'] as const
export type RewardName = (typeof rewardNames)[number]

/** The reward of a pin: 1 if the user did it, or the seconds of the longest look. */
export function rewardOf(name: RewardName, { bits, dwellMs }: PinLabels): number {
  return name === 'dwell' ? Math.max(0, dwellMs) / 1_000 : (bits & bitOf(name)) === 0 ? 0 : 1
}
