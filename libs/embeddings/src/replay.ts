import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { noTicket } from './session-windows.ts'

/** The latest pairs, by tickets of their rows, to be learned again. */
export interface Replay {
  readonly size: number
  push(first: number, second: number, weight: number): void
  /** Takes out the latest pair of these two, in this order. Takes time in proportion to the pairs. */
  remove(first: number, second: number): void
  first(index: number): number
  second(index: number): number
  weight(index: number): number
  readonly bytes: number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** An empty ring of at most `maxPairs`. */
export function createReplay(maxPairs: number): Replay {
  const firsts = new Uint32Array(maxPairs)
  const seconds = new Uint32Array(maxPairs)
  const weights = new Float32Array(maxPairs)
  let next = 0
  let size = 0
  return {
    get size() {
      return size
    },
    push(first, second, weight) {
      firsts[next] = first
      seconds[next] = second
      weights[next] = weight
      next = next + 1 === maxPairs ? 0 : next + 1
      size = Math.min(maxPairs, size + 1)
    },
    remove(first, second) {
      for (let n = 1; n <= size; n++) {
        const at = (next - n + maxPairs) % maxPairs
        if (firsts[at] !== first || seconds[at] !== second) continue
        firsts[at] = noTicket
        return
      }
    },
    first: (index) => firsts[index]!,
    second: (index) => seconds[index]!,
    weight: (index) => weights[index]!,
    bytes: maxPairs * 12,
    save(writer) {
      writer.u32('firsts', firsts.subarray(0, size))
      writer.u32('seconds', seconds.subarray(0, size))
      writer.f32('weights', weights.subarray(0, size))
      writer.json('next', next)
    },
    load(reader) {
      const kept = reader.u32('firsts')
      size = kept.length
      firsts.set(kept)
      seconds.set(reader.u32('seconds'))
      weights.set(reader.f32('weights'))
      next = reader.json('next') as number
    },
  }
}
