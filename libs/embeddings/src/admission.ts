import { hash32 } from '@freshet/domain/hash'

import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/**
 * Counts engagements of ids that have no row yet, in a sketch of fixed size, so rare ids take no memory. A count may be
 * too high if ids collide, but never too low within one rotation.
 */
export interface Admission {
  /** Counts one engagement and gives the count since one to two rotations ago. */
  count(pinId: string, atMs: number): number
  readonly bytes: number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

const slots = 1 << 20

/** Empty counts; what is older than two rotations is forgotten. */
export function createAdmission({ rotationMs }: { readonly rotationMs: number }): Admission {
  let current = new Uint8Array(slots)
  let previous = new Uint8Array(slots)
  let rotatedAtMs = -Infinity

  return {
    count(pinId, atMs) {
      if (atMs - rotatedAtMs >= rotationMs) {
        const emptied = previous.fill(0)
        previous = current
        current = emptied
        rotatedAtMs = atMs
      }
      let least = Infinity
      for (const seed of [0xad1, 0xad2]) {
        const slot = hash32(pinId, seed) % slots
        const raised = Math.min(255, current[slot]! + 1)
        current[slot] = raised
        least = Math.min(least, raised + previous[slot]!)
      }
      return least
    },
    bytes: 2 * slots,
    save(writer) {
      writer.u8('current', current)
      writer.u8('previous', previous)
      writer.f64('rotatedAtMs', Float64Array.of(rotatedAtMs))
    },
    load(reader) {
      current = new Uint8Array(reader.u8('current'))
      previous = new Uint8Array(reader.u8('previous'))
      rotatedAtMs = reader.f64('rotatedAtMs')[0] ?? -Infinity
    },
  }
}
