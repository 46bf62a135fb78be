import type { Terminal } from '../operations/terminal.ts'
import type { Destination } from './destination.ts'

export function openServicesDestination(target: string, _given: unknown, _terminal: Terminal): Promise<Destination> {
  throw new Error(target)
}
