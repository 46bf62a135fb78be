import type { Difference, FeedComparison } from './findings.ts'

/** Why feeds were not compared. */
export const leftOutCauses = {
  'not-ranked': 'the ranker did not score them',
  'no-features': 'their features or facts were not recorded',
  'no-model': 'their model is neither in the registry nor a given spec',
  damaged: 'their records are damaged',
} as const

export type LeftOutCause = keyof typeof leftOutCauses

/** Feeds and the pins on them. */
export interface Count {
  readonly feeds: number
  readonly rows: number
}

/** The result of `freshet parity`. A row is a pin of a feed. */
export interface ParityReport {
  readonly compared: Count
  /** Rows of which every number is equal to the last bit. */
  readonly equalRows: number
  readonly differingRows: number
  /** Rows that a first phase left out. They are not compared: their utility depends on the whole page. */
  readonly cutRows: number
  /** Predictions, utilities, exposed values and features that were computed again. */
  readonly numbers: number
  readonly leftOut: Readonly<Record<LeftOutCause, Count>>
  /** Compared rows by version of the model. */
  readonly models: Readonly<Record<string, number>>
  /** Backend of TensorFlow.js that computed. */
  readonly backend: string
  /** The first differences. */
  readonly differences: readonly Difference[]
  /** The first reasons why feeds were not compared. */
  readonly problems: readonly string[]
}

/** Counts what was compared. */
export interface ParityTally {
  compared(model: string, result: FeedComparison): void
  leftOut(cause: LeftOutCause, rows: number, problem?: string): void
  report(backend: string): ParityReport
}

/** An empty tally that keeps the first `maxShown` differences and problems. */
export function createParityTally(maxShown: number): ParityTally {
  const total = { feeds: 0, rows: 0, differingRows: 0, cutRows: 0, numbers: 0 }
  const causes = Object.keys(leftOutCauses) as LeftOutCause[]
  const leftOut = Object.fromEntries(causes.map((cause) => [cause, { feeds: 0, rows: 0 }])) as Record<
    LeftOutCause,
    { feeds: number; rows: number }
  >
  const models: Record<string, number> = {}
  const differences: Difference[] = []
  const problems = new Set<string>()
  return {
    compared(model, result) {
      total.feeds++
      total.rows += result.rows
      total.differingRows += result.differingRows
      total.cutRows += result.cutRows
      total.numbers += result.numbers
      models[model] = (models[model] ?? 0) + result.rows
      differences.push(...result.differences.slice(0, maxShown - differences.length))
    },
    leftOut(cause, rows, problem) {
      leftOut[cause].feeds++
      leftOut[cause].rows += rows
      if (problem !== undefined && problems.size < maxShown) problems.add(problem)
    },
    report: (backend) => ({
      compared: { feeds: total.feeds, rows: total.rows },
      equalRows: total.rows - total.differingRows - total.cutRows,
      differingRows: total.differingRows,
      cutRows: total.cutRows,
      numbers: total.numbers,
      leftOut,
      models,
      backend,
      differences,
      problems: [...problems],
    }),
  }
}

/** The report for people. */
export function parityLines(report: ParityReport): readonly string[] {
  const { compared, equalRows, differingRows, cutRows, numbers, leftOut, models, backend } = report
  return [
    `${compared.rows} rows of ${compared.feeds} feeds compared, ${numbers} numbers, on ${backend}: ${equalRows} equal, ${differingRows} differ`,
    ...(cutRows === 0 ? [] : [`${cutRows} rows not compared, because a first phase left them out`]),
    ...Object.entries(models).map(([model, rows]) => `  ${model}  ${rows} rows`),
    ...Object.entries(leftOut).flatMap(([cause, { feeds, rows }]) =>
      feeds === 0 ? [] : [`not compared: ${feeds} feeds (${rows} rows): ${leftOutCauses[cause as LeftOutCause]}`],
    ),
    ...report.problems.map((problem) => `  ${problem}`),
    ...report.differences.map(
      ({ feedId, pinId, number, recorded, computed }) =>
        `feed ${feedId}, pin ${pinId}, ${number}: recorded ${written(recorded)}, computed ${written(computed)}`,
    ),
    'not covered: features that read the state of the user or of the pin, and what exploration added to the order: feeds do not record their inputs',
  ]
}

/** A float32 with its bits, because two numbers that differ can look equal. */
function written(value: number): string {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!
  return `${value} (${bits.toString(16).padStart(8, '0')})`
}
