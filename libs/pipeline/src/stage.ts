/** The time limits of a stage. Both apply. */
export interface Budget {
  /** Milliseconds. */
  readonly ms: number
  /** Share of the run's remaining time when the stage begins, in (0, 1], so that later stages have time too. */
  readonly share: number
}

/** The time limit of a stage, and a signal for the end of the call. */
export interface StageCall {
  /** Milliseconds from the start of the stage. */
  readonly timeoutMs: number
  /** Aborted when the budget is used up or the run is cancelled. */
  readonly signal: AbortSignal
}

/** Candidates: immutable columns, and the remaining rows in order. There is no object per candidate. */
export interface Slate<Columns> {
  readonly columns: Columns
  /** Remaining rows; best first after a stage has ordered them. */
  readonly rows: Int32Array
  /** Length of the columns. Every row is less than it. */
  readonly size: number
}

/** The candidates that a source found: columns of equal length. */
export interface Found<Columns> {
  readonly columns: Columns
  readonly size: number
}

interface StageSpec<Context> {
  readonly name: string
  /**
   * A function reads it from the context, so that each request can have its own. Absent: the remaining time of the run. The
   * engine cannot interrupt a synchronous stage, so it uses its answer; without a budget it does so even if no time is left.
   */
  readonly budget?: Budget | ((context: Context) => Budget | undefined)
}

/** The run fails if the stage fails or misses its budget. */
interface Required {
  readonly policy: 'required'
}

/** The run continues with `otherwise` if the stage fails or misses its budget. */
interface Replaceable<Context, Given, Value> {
  readonly policy: 'optional'
  readonly otherwise: (context: Context, given: Given, error: unknown) => Value
}

/** Adds to the context of the request, before there are candidates. */
export type ContextHydrator<Context, Added> = StageSpec<Context> & {
  readonly kind: 'context'
  readonly run: (context: Context, call: StageCall) => Added | Promise<Added>
} & (Required | Replaceable<Context, null, Added>)

/** Finds candidates. If optional, `otherwise` finds some without the failed dependency. */
export type Source<Context, Columns> = StageSpec<Context> & {
  readonly kind: 'source'
  readonly run: (context: Context, call: StageCall) => Found<Columns> | Promise<Found<Columns>>
} & (Required | Replaceable<Context, null, Found<Columns>>)

/** Adds columns of the same length as the existing ones. */
export type Hydrator<Context, Columns, Added> = StageSpec<Context> & {
  readonly kind: 'hydrator'
  readonly run: (context: Context, slate: Slate<Columns>, call: StageCall) => Added | Promise<Added>
} & (Required | Replaceable<Context, Slate<Columns>, Added>)

/** Adds columns of scores. A score depends only on its own row. */
export type Scorer<Context, Columns, Added> = StageSpec<Context> & {
  readonly kind: 'scorer'
  readonly run: (context: Context, slate: Slate<Columns>, call: StageCall) => Added | Promise<Added>
} & (Required | Replaceable<Context, Slate<Columns>, Added>)

/** Decides about a row: `keep`, or the index of the reason to remove it. */
export type RowVerdict = (row: number) => number

/** The verdict that keeps a row. */
export const keep = -1

/** Removes rows, each for a reason. It does not see the order or the other rows. */
export interface Filter<Context, Columns> extends StageSpec<Context> {
  readonly kind: 'filter'
  /** What happens if it fails or misses its budget: `required` fails the run, `optional` keeps all rows, `fail-closed` removes all rows. */
  readonly policy: 'required' | 'optional' | 'fail-closed'
  readonly reasons: readonly string[]
  /** Returns the verdict about rows; null: it keeps every row, so none is looked at. */
  readonly prepare: (
    context: Context,
    columns: Columns,
    call: StageCall,
  ) => RowVerdict | null | Promise<RowVerdict | null>
}

/** The result of a selector. */
export type Selection<Added> = {
  /** Rows of the slate in their new order, each at most once. */
  readonly rows: Int32Array
  /** The rows that the selector moved against the order of scores. The engine adds their positions. Absent: none. */
  readonly moved?: Moved
  /** For a row that was not taken, the index of the reason in `reasons`. Absent: the first reason, or `not-selected` if `reasons` is absent. */
  readonly leftFor?: (row: number) => number
} & (object extends Added ? { readonly columns?: Added } : { readonly columns: Added })

/** Rows that a selector moved, each with the index of its reason in `moveReasons`. Columns of equal length. */
export interface Moved {
  readonly rows: Int32Array
  readonly reasons: Uint8Array
}

/** Orders rows or takes some of them; may add columns. If optional, `otherwise` replaces its selection. */
export type Selector<Context, Columns, Added extends object = object> = StageSpec<Context> & {
  readonly kind: 'selector'
  /** Why a row is not taken. */
  readonly reasons?: readonly string[]
  /** Why a row is moved. */
  readonly moveReasons?: readonly string[]
  readonly run: (
    context: Context,
    slate: Slate<Columns>,
    call: StageCall,
  ) => Selection<Added> | Promise<Selection<Added>>
} & (Required | Replaceable<Context, Slate<Columns>, Selection<Added>>)

/** Changes something outside the pipeline, before the answer. */
export interface SideEffect<Context, Columns> extends StageSpec<Context> {
  readonly kind: 'side-effect'
  readonly policy: 'required' | 'optional'
  readonly run: (context: Context, slate: Slate<Columns>, call: StageCall) => void | Promise<void>
}

export type StageKind = 'context' | 'source' | 'hydrator' | 'filter' | 'scorer' | 'selector' | 'side-effect'
