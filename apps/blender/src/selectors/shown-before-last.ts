import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'

/** Puts repeats behind all other pins, whatever their utility. Among repeats, those shown longest ago come first. */
export function shownBeforeLast(): Selector<object, CandidateColumns> {
  return {
    kind: 'selector',
    name: 'shown-before-last',
    policy: 'required',
    moveReasons: ['shown-before'],
    run: (_request, { columns: { shownBefore }, rows }) => {
      if (!shownBefore.includes(1)) return { rows }
      const again = rows.filter((row) => shownBefore[row] === 1).sort()
      const ordered = new Int32Array(rows.length)
      ordered.set(rows.filter((row) => shownBefore[row] !== 1))
      ordered.set(again, rows.length - again.length)
      return { rows: ordered, moved: { rows: again, reasons: new Uint8Array(again.length) } }
    },
  }
}
