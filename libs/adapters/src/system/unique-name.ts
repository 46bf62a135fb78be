import { randomUUID } from 'node:crypto'

/** A name that no other process gives, now or later: letters, digits and hyphens. */
export function uniqueName(): string {
  return randomUUID()
}
