import type { SourceQuery } from '../source.ts'

/**
 * The kind of a query: `closed` if it excludes the pins the user had, `open` if they may come again, `among` if it ranks
 * given pins. The worth of a source's ranks differs by kind, so the merge learns each kind by itself.
 */
export const modes = ['closed', 'open', 'among'] as const
export type Mode = (typeof modes)[number]

/** Determines the kind of a query. */
export function chooseMode({ amongRows, recentCount, recentRows, accept }: SourceQuery): Mode {
  if (amongRows !== null) return 'among'
  for (let i = 0; i < recentCount; i++) if (accept(recentRows[i] ?? -1)) return 'open'
  return 'closed'
}
