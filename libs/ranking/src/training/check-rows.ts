import type { RowTable } from '../plan/column.ts'
import type { Plan, PlanHead } from '../plan/plan.ts'
import { TrainingError } from './errors.ts'

/**
 * Throws a TrainingError if the plan's heads cannot be learned from these rows. Lists the problems of all heads. `someOneClass`:
 * heads may have one class, as long as one of all has both: nobody may have hidden a pin yet.
 */
export function checkRows({ heads }: Plan, table: RowTable, someOneClass = false): void {
  if (table.rows === 0)
    throw new TrainingError('TRAINING_WINDOW_EMPTY', 'there are no rows to train on; widen the training window')
  const found = heads.map((head) => problemOf(head, table))
  const isSome = someOneClass && found.some((problems) => problems.length === 0)
  const problems = found.flat().filter(({ isMild }) => !(isSome && isMild))
  if (problems.length === 0) return
  throw new TrainingError(problems[0]!.code, problems.map(({ text }) => text).join('; '))
}

interface Problem {
  readonly code: TrainingError['code']
  readonly text: string
  /** More rows may end it. */
  readonly isMild: boolean
}

function problemOf({ name, label, kind }: PlanHead, { labels, rows }: RowTable): readonly Problem[] {
  const known = labels.get(label)?.filter((value) => !Number.isNaN(value)) ?? []
  if (known.length === 0) {
    const has = [...labels.keys()].join(', ') || 'none'
    return [
      {
        code: 'TRAINING_LABEL_ABSENT',
        text: `head ${name}: no row has the label ${label}; labels there: ${has}`,
        isMild: labels.has(label),
      },
    ]
  }
  if (kind === 'amount') return []
  const strange = known.find((value) => value !== 0 && value !== 1)
  if (strange !== undefined)
    return [
      {
        code: 'TRAINING_ONE_CLASS',
        text: `head ${name}: the label ${label} is ${strange}; give 0 or 1`,
        isMild: false,
      },
    ]
  if (known.some((value) => value !== known[0])) return []
  const text = `head ${name}: the label ${label} is ${known[0]} in all ${known.length} of ${rows} rows, so there is nothing to tell apart; widen the training window`
  return [{ code: 'TRAINING_ONE_CLASS', text, isMild: true }]
}
