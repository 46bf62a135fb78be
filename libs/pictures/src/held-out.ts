import { hash32 } from '@freshet/domain/hash'

/** Whether an emoji is kept from the learning of the projection, so that quality can be measured on it: one in four. */
export function isHeldOut(code: string): boolean {
  return hash32(code, 11) % 4 === 0
}
