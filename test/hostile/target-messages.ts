/** Where the target listens, ports of 127.0.0.1. */
export interface Ports {
  readonly ingest: number
  readonly feed: number
  readonly grpc: number
}

/** A record of the log; the value in base64, null: a tombstone. */
export interface TargetRecord {
  readonly topic: string
  readonly key: string
  readonly value: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly partition: number | null
}

/** What the runner asks the target. */
export type Ask =
  | { readonly id: number; readonly kind: 'readings'; readonly collect: boolean }
  | { readonly id: number; readonly kind: 'append'; readonly record: TargetRecord }

/** What the target reads of itself. Errors and reports are those since the last readings. */
export interface Readings {
  /** Unhandled errors and defects. */
  readonly errors: readonly string[]
  /** What parts reported of bad records. */
  readonly reported: readonly string[]
  /** Bytes of the heap and outside of it. */
  readonly heldBytes: number
  /** Largest resident memory since the last readings. */
  readonly peakRss: number
  readonly rss: number
  /** How late the event loop was since the last readings, milliseconds. */
  readonly lagMs: Readonly<Record<'p50' | 'p99' | 'max', number>>
  /** Records that each reader has not folded yet. */
  readonly folded: Readonly<Record<'updater' | 'candidates' | 'blender', number>>
  /** Records that each part noticed as bad since the start. */
  readonly noticed: Readonly<Record<string, number>>
  readonly notReady: string | null
}

/** The target's answer; the first one, with id 0, holds its ports. */
export interface Answer {
  readonly id: number
  readonly value?: Ports | Readings | null | undefined
  readonly error?: string
}
