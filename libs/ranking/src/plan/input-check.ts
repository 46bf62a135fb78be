import type { Column } from './column.ts'
import type { PlanInput } from './plan.ts'
import { formatType, type ValueType } from './value-type.ts'

/** Why a column cannot be the values of an input; null: it can. */
export function inputProblem(input: PlanInput, column: Column | undefined, candidates: number): string | null {
  const { name, type, side } = input
  if (column === undefined) return `input ${name} is missing; give a column of ${formatType(type)}`
  if (!hasType(column, type))
    return `input ${name} is ${formatType(type)} in the plan; the column given has ${describe(column)}`
  if (column.rows !== candidates && !(side === 'request' && column.rows === 1))
    return `input ${name} has ${column.rows} rows; give ${side === 'request' ? '1 or ' : ''}${candidates}`
  return null
}

function hasType(column: Column, type: ValueType): boolean {
  switch (type.kind) {
    case 'scalar':
      return column.kind === 'numbers' && column.width === 1
    case 'vector':
      return column.kind === 'numbers' && column.width === type.size
    case 'category':
      return column.kind === 'categories'
    case 'index':
      return column.kind === 'indices' && column.hashes === type.hashes
    case 'sequence':
      return column.kind === 'sequences' && hasType(column.elements, type.of)
  }
}

function describe(column: Column): string {
  switch (column.kind) {
    case 'numbers':
      return `${column.width} numbers a row`
    case 'sequences':
      return `sequences of ${describe(column.elements)}`
    case 'indices':
      return `${column.hashes} row numbers a row`
    case 'categories':
      return 'categories'
  }
}
