import type { Cluster } from '../harness/cluster.ts'
import type { BenchRow } from './row.ts'

/** What a benchmark is given. */
export interface Bench {
  /** Small sizes and short times: shows that it runs, not how fast it is. */
  readonly quick: boolean
  /** A line on what is being done. */
  say(text: string): void
}

/** What a benchmark on real servers is given. */
export interface ClusterBench extends Bench {
  readonly cluster: Cluster
}

/** A file of rows. */
export type Benchmark = {
  /** What `--only` looks for, and what a skipped one is named by. */
  readonly name: string
} & (
  | { readonly needs: 'nothing' | 'time'; readonly run: (bench: Bench) => Promise<BenchRow[]> }
  | { readonly needs: 'cluster'; readonly run: (bench: ClusterBench) => Promise<BenchRow[]> }
)

/** Milliseconds on a clock that all processes of this machine share. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** CPU time of this process so far, milliseconds. */
export function cpuMsNow(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The middle one of some values (nearest rank); NaN for none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
