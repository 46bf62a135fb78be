import { randomUUID } from 'node:crypto'

/** Creates a globally unique name of letters, digits and hyphens. */
export function uniqueName(): string {
  return randomUUID()
}
