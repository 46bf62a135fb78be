import type { RowTable } from '@freshet/ranking/plan/column'
import type { Plan } from '@freshet/ranking/plan/plan'
import { readRows, type ReadRowsOptions } from '@freshet/ranking/plan/rows'
import { exportedKey } from '@freshet/ranking/rows/exported-key'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'

/**
 * Reads the rows of a file into the inputs of a plan, and says which were left out and why. An input of serving is read under
 * its own name, or under the key that `freshet rows export` writes. Throws a RowsError.
 */
export async function readRowsFile(
  plan: Plan,
  file: string,
  say: (text: string) => void,
  options: ReadRowsOptions = {},
): Promise<RowTable> {
  const { table, report } = await readRows(plan, transformCatalogue, file, { exportedKey, ...options })
  say(`${file}: ${table.rows} rows`)
  const leftOut = report.read - table.rows
  if (leftOut > 0)
    say(`  left out ${leftOut} of ${report.read} rows (${((100 * leftOut) / report.read).toFixed(2)} %):`)
  for (const { reason, rows, firstLine } of report.leftOut)
    say(`    ${rows}, the first at line ${firstLine}: ${reason}`)
  if (report.unusedKeys.length > 0) say(`  values that the spec does not read: ${report.unusedKeys.join(', ')}`)
  if (report.absentInputs.length > 0) say(`  inputs that no row has: ${report.absentInputs.join(', ')}`)
  return table
}
