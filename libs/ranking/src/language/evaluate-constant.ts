import { NewBuffers } from '../plan/buffers.ts'
import type { Column } from '../plan/column.ts'
import type { FixedTransform, Transform } from '../transforms/definition.ts'

/** The number that a fixed transform makes of numbers; null: the result is not one finite number. */
export function evaluateConstant(
  transform: Transform & { readonly gradient: 'fixed' },
  numbers: readonly number[],
  params: unknown,
): number | null {
  const types = numbers.map(() => ({ kind: 'scalar' }) as const)
  const type = transform.typeOf(types, params)
  if ('problem' in type || type.kind !== 'scalar') return null
  const columns = numbers.map((value): Column => ({
    kind: 'numbers',
    rows: 1,
    width: 1,
    values: Float32Array.of(value),
  }))
  const result = (transform as unknown as FixedTransform).evaluate(columns, params, new NewBuffers(1))
  const value = result.kind === 'numbers' ? result.values[0] : undefined
  return value !== undefined && Number.isFinite(value) ? value : null
}
