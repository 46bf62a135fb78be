import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'

/** A recorded number that another one was computed for. */
export interface Difference {
  readonly feedId: string
  readonly pinId: string
  /** `utility`, `prediction HEAD`, `exposed NAME` or `feature NAME`. */
  readonly number: string
  readonly recorded: number
  readonly computed: number
}

/** What a comparison found. */
export interface FeedComparison {
  /** Pins of the feed. */
  readonly rows: number
  /** Pins with at least one number that differs. */
  readonly differingRows: number
  /** Pins that the first phase left out, so that their utility depends on the whole page. */
  readonly cutRows: number
  /** Numbers that were computed again. */
  readonly numbers: number
  /** The first ones. */
  readonly differences: readonly Difference[]
}

/** A column of numbers in an array: one number for each pin. */
export interface ColumnOf {
  readonly values: Float32Array
  readonly first: number
  readonly step: number
}

/** Collects the differences of a feed. */
export interface Findings {
  /** Compares a column bit by bit, except for the pins that the first phase left out. */
  compare(number: string, recorded: ColumnOf, computed: ColumnOf): void
  result(): FeedComparison
}

const maxDifferences = 20

/** No findings yet. `cut`: the pins that the first phase left out. */
export function createFindings({ feedId, pinIds }: FeedServed, cut: ReadonlySet<number>): Findings {
  const differing = new Set<number>()
  const differences: Difference[] = []
  let numbers = 0
  return {
    compare(number, recorded, computed) {
      const [before, now] = [bitsOf(recorded.values), bitsOf(computed.values)]
      for (let row = 0; row < pinIds.length; row++) {
        if (cut.has(row)) continue
        numbers++
        const [from, to] = [recorded.first + row * recorded.step, computed.first + row * computed.step]
        if (before[from] === now[to]) continue
        differing.add(row)
        if (differences.length === maxDifferences) continue
        const pinId = pinIds[row]!
        differences.push({
          feedId,
          pinId,
          number,
          recorded: recorded.values[from]!,
          computed: computed.values[to]!,
        })
      }
    },
    result: () => ({
      rows: pinIds.length,
      differingRows: differing.size,
      cutRows: cut.size,
      numbers,
      differences,
    }),
  }
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length)
}
