import { open } from 'node:fs/promises'
import type { Slate } from '@freshet/experiments/off-policy/slate'
import type { RewardedFeed } from './drawn-feeds.ts'

const columns = [
  ...['slate_id', 'position', 'action', 'reward'],
  ...['pscore', 'pscore_cascade', 'pscore_item_position'],
  ...['evaluation_policy_pscore', 'evaluation_policy_pscore_cascade', 'evaluation_policy_pscore_item_position'],
  ...['context_value', 'context_prediction', 'context_temperature', 'user_id', 'feed_id', 'pin_id'],
] as const

/**
 * Writes slates as CSV, one row for each position, with the columns of slates that Open Bandit Pipeline reads. `action` is the number of the
 * pin, in the order in which pins come; a probability that is not known is empty. Resolves to the number of rows.
 */
export async function exportSlates(
  file: string,
  feeds: readonly RewardedFeed[],
  slates: readonly Slate[],
  head: string,
): Promise<number> {
  const to = await open(file, 'w')
  const actions = new Map<string, number>()
  let rows = 0
  try {
    await to.write(`${columns.join()}\n`)
    for (const [at, each] of feeds.entries()) {
      const lines = rowsOf(at, each, slates[at]!, { head, actions })
      rows += lines.length
      await to.write(lines.map((line) => `${line}\n`).join(''))
    }
  } finally {
    await to.close()
  }
  return rows
}

function rowsOf(
  slateId: number,
  { feed, rewards }: RewardedFeed,
  { steps, targetSteps, places }: Slate,
  { head, actions }: { readonly head: string; readonly actions: Map<string, number> },
): string[] {
  const product = (values: Float64Array): number => values.reduce((all, each) => all * each, 1)
  const whole = [product(steps), product(targetSteps)]
  const above = [1, 1]
  return feed.pinIds.map((pinId, place) => {
    above[0]! *= steps[place]!
    above[1]! *= targetSteps[place]!
    const action = actions.get(pinId) ?? actions.size
    actions.set(pinId, action)
    return [
      ...[slateId, place, action, rewards[place]!],
      ...[whole[0]!, above[0]!, feed.places?.[place] ?? ''],
      ...[whole[1]!, above[1]!, places?.target[place] ?? ''],
      ...[feed.draw.values[place]!, feed.predictions.get(head)?.[place] ?? '', feed.draw.temperature],
      ...[feed.userId, feed.feedId, pinId].map(cell),
    ].join()
  })
}

/** A text as a cell of CSV. Ids hold no line breaks. */
function cell(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
