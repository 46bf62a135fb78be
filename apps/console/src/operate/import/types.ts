/** How the page wants a file to be read. Fields that are absent or empty are detected. */
export interface Reading {
  readonly as?: 'engagements' | 'pins' | undefined
  /** Field by column; null: ignore the column. */
  readonly mapped?: Readonly<Record<string, string | null>>
  readonly rules?: string
  readonly timeUnit?: string
  readonly occurredAt?: string
  readonly delimiter?: string
  readonly quote?: string
  readonly columns?: string
  readonly listSeparator?: string
  readonly encoding?: string
}

/** How a file would be read. */
export interface Plan {
  readonly format: string | null
  readonly details: {
    readonly fileBytes: number
    readonly gzipped: boolean
    readonly encoding: string
  } | null
  readonly as: 'engagements' | 'pins' | null
  readonly columns: readonly {
    readonly name: string
    readonly field: string | null
    readonly hint: string | null
    readonly samples: readonly string[]
  }[]
  readonly fields: readonly string[]
  readonly rules: string
  readonly times: string | null
  readonly occurredAt: string | null
  readonly listSeparator: string | null
  readonly head: readonly string[]
  readonly first: readonly { readonly line: number; readonly event?: unknown; readonly problem?: string }[]
  readonly problem: string | null
  readonly command: string
}

/** An import that is under way or has ended. */
export interface Job {
  readonly dryRun: boolean
  readonly state: 'running' | 'done' | 'failed' | 'stopped'
  readonly startedAtMs: number
  readonly tookMs: number
  readonly phase: {
    readonly label: string
    readonly unit: string
    readonly done: number
    readonly total: number | null
    readonly share: number | null
  } | null
  readonly table: {
    readonly read: number
    readonly accepted: number
    readonly engagements: number
    readonly pins: number
    readonly unchanged: number
    readonly refused: number
    readonly leftOut: number
    readonly repeated: number
    readonly imported: number
    readonly madePins: number
    readonly applied: {
      readonly applied: number
      readonly duplicate: number
      readonly deadLettered: number
      readonly erased: number
    } | null
    readonly refusals: readonly {
      readonly code: string
      readonly field: string
      readonly count: number
      readonly places: readonly string[]
      readonly example: string
    }[]
  }
  readonly notices: readonly string[]
  readonly error: { readonly code: string; readonly message: string } | null
}

/** A file that was sent. */
export interface SentFile {
  readonly id: string
  readonly name: string
  readonly bytes: number
  readonly job: Job | null
}

/** The files that the console holds. */
export interface ImportsAnswer {
  readonly canImport: boolean
  readonly files: readonly SentFile[]
}
