import type { SourceQuery } from '../source.ts'

/**
 * What kind of question it is: `closed` where what the user had is not wanted again, `open` where it may come again,
 * `among` where given pins are to be ranked. What sources' ranks are worth differs, so it is learned for each.
 */
export const modes = ['closed', 'open', 'among'] as const
export type Mode = (typeof modes)[number]

/** The kind of a query. */
export function modeOf({ amongRows, recentCount, recentRows, accept }: SourceQuery): Mode {
  if (amongRows !== null) return 'among'
  for (let i = 0; i < recentCount; i++) if (accept(recentRows[i] ?? -1)) return 'open'
  return 'closed'
}
