import type { Action } from '@freshet/domain/engagement'
import { bitOf, type PinLabels } from '@freshet/trainer/joiner/labels'

/** A number that a feed has: what the user did with its pins. */
export interface FeedMetric {
  readonly name: string
  of(labels: readonly PinLabels[]): number
}

/** How many pins of the feed got an action. */
function pinsWith(action: Action): (labels: readonly PinLabels[]) => number {
  const bit = bitOf(action)
  return (labels) => labels.reduce((sum, { bits }) => sum + ((bits & bit) === 0 ? 0 : 1), 0)
}

/** What reports measure, per feed. */
export const feedMetrics: readonly FeedMetric[] = [
  { name: 'saves', of: pinsWith('save') },
  { name: 'clicks', of: pinsWith('click') },
  { name: 'closeups', of: pinsWith('closeup') },
  { name: 'hides', of: pinsWith('hide') },
  {
    name: 'dwell seconds',
    of: (labels) => labels.reduce((sum, { dwellMs }) => sum + Math.max(0, dwellMs), 0) / 1_000,
  },
]
