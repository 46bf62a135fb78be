import { noPosition, type RowBatch } from '@freshet/ranking/rows/row-batch'

/** Why a row cannot train. */
export interface RowProblem {
  /** For people, after "12 ×". */
  readonly reason: string
  /** Whether something wrote a wrong value. Otherwise the row is right and only says nothing. */
  readonly isCorrupt: boolean
}

/** What a row is checked for. */
export interface RowNeeds {
  /** Names of the features that the plan reads. */
  readonly names: readonly string[]
  /** Their places in the batch; −1: the batch lacks it. */
  readonly places: readonly number[]
  /** Some row of the window has an impression, so that a row without any action was not looked at. */
  readonly reportsLooks: boolean
}

/** Why a row of a shown pin cannot train; null: it can. */
export function rowProblem(batch: RowBatch, row: number, needs: RowNeeds): RowProblem | null {
  return (
    corruption(batch, row) ??
    featureProblem(batch, row, needs) ??
    (needs.reportsLooks && !wasSeen(batch, row) ? unseen : null)
  )
}

const unseen: RowProblem = { reason: 'nobody looked at the pin', isCorrupt: false }

function corruption({ atMs, weight, position, labels }: RowBatch, row: number): RowProblem | null {
  const corrupt = (reason: string): RowProblem => ({ reason, isCorrupt: true })
  if (!(Number.isFinite(atMs[row]) && atMs[row]! > 0)) return corrupt('its time is not a time')
  if (!(Number.isFinite(weight[row]) && weight[row]! > 0)) return corrupt('its weight is not a number above 0')
  if (position[row] === noPosition) return corrupt('it was shown without a position')
  for (const [name, column] of Object.entries(labels)) {
    const label = column[row]!
    if (column instanceof Uint8Array ? label > 1 : label < 0 || label === Infinity)
      return corrupt(`its label ${name} is ${label}`)
  }
  return null
}

function featureProblem(
  { featureNames, features }: RowBatch,
  row: number,
  { names, places }: RowNeeds,
): RowProblem | null {
  const absent = places.indexOf(-1)
  if (absent >= 0) return { reason: `${names[absent]!} was not recorded`, isCorrupt: false }
  const from = row * featureNames.length
  const bad = places.findIndex((place) => !Number.isFinite(features[from + place]))
  if (bad < 0) return null
  if (places.every((place) => Number.isNaN(features[from + place])))
    return { reason: 'it was not ranked', isCorrupt: false }
  return { reason: `${names[bad]!} is not a finite number`, isCorrupt: true }
}

/** Whether the user looked at the pin: an impression, or any action on it. */
function wasSeen({ labels }: RowBatch, row: number): boolean {
  return Object.values(labels).some((column) => column instanceof Uint8Array && column[row] === 1)
}
