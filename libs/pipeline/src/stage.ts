/** What a stage may spend. Both bounds hold. */
export interface Budget {
  /** Milliseconds. */
  readonly ms: number
  /** Part of the time that the run has left when the stage begins, (0, 1]: later stages always find some. */
  readonly share: number
}

/** How long a stage may take, and how it learns that nobody waits any more. */
export interface StageCall {
  /** Milliseconds from the start of the stage. */
  readonly timeoutMs: number
  /** Aborted when the budget is used up or the run is cancelled. */
  readonly signal: AbortSignal
}

/** Candidates on their way: immutable columns and the rows of them that are still in, in order. No object per candidate. */
export interface Slate<Columns> {
  readonly columns: Columns
  /** Rows still in, best first once something has ordered them. */
  readonly rows: Int32Array
  /** Length of the columns: every row is below it. */
  readonly size: number
}

/** What a source found: columns of one length. */
export interface Found<Columns> {
  readonly columns: Columns
  readonly size: number
}

interface StageSpec<Context> {
  readonly name: string
  /**
   * Read from the context, so that each request can bring its own. Absent: what is left of the run. A stage that answers at
   * once can't be cut short: its answer is used, and without a budget it is used even where no time is left.
   */
  readonly budget?: Budget | ((context: Context) => Budget)
}

/** The run ends where the stage fails or misses its budget. */
interface Required {
  readonly policy: 'required'
}

/** The run goes on with `otherwise` where the stage fails or misses its budget. */
interface Replaceable<Context, Given, Value> {
  readonly policy: 'optional'
  readonly otherwise: (context: Context, given: Given, error: unknown) => Value
}

/** Learns something about the request, before there are candidates. */
export type ContextHydrator<Context, Added> = StageSpec<Context> & {
  readonly kind: 'context'
  readonly run: (context: Context, call: StageCall) => Added | Promise<Added>
} & (Required | Replaceable<Context, null, Added>)

/** Finds candidates. Optional: `otherwise` finds some without help. */
export type Source<Context, Columns> = StageSpec<Context> & {
  readonly kind: 'source'
  readonly run: (context: Context, call: StageCall) => Found<Columns> | Promise<Found<Columns>>
} & (Required | Replaceable<Context, null, Found<Columns>>)

/** Adds columns. They are as long as the columns there are. */
export type Hydrator<Context, Columns, Added> = StageSpec<Context> & {
  readonly kind: 'hydrator'
  readonly run: (context: Context, slate: Slate<Columns>, call: StageCall) => Added | Promise<Added>
} & (Required | Replaceable<Context, Slate<Columns>, Added>)

/** Adds columns of scores. A score depends on its own row only. */
export type Scorer<Context, Columns, Added> = StageSpec<Context> & {
  readonly kind: 'scorer'
  readonly run: (context: Context, slate: Slate<Columns>, call: StageCall) => Added | Promise<Added>
} & (Required | Replaceable<Context, Slate<Columns>, Added>)

/** What to do with a row: `keep`, or the index of the reason to remove it. */
export type RowVerdict = (row: number) => number

/** The verdict that keeps a row. */
export const keep = -1

/** Removes rows, each for a reason. It sees neither the order nor the other rows. */
export interface Filter<Context, Columns> extends StageSpec<Context> {
  readonly kind: 'filter'
  /** Where it fails or misses its budget: `required` ends the run, `optional` keeps all, `fail-closed` removes all. */
  readonly policy: 'required' | 'optional' | 'fail-closed'
  readonly reasons: readonly string[]
  readonly prepare: (context: Context, columns: Columns, call: StageCall) => RowVerdict | Promise<RowVerdict>
}

/** What a selector made of a slate. */
export type Selection<Added> = {
  /** Rows of the slate in their new order, each at most once. */
  readonly rows: Int32Array
  /** Why rows are where no score alone would have put them. The engine adds from where to where. Absent: nothing was moved. */
  readonly moved?: Moved
  /** For a row that was not taken, the index of the reason in `reasons`. Absent: the first one, or `not-selected` where there are none. */
  readonly leftFor?: (row: number) => number
} & (object extends Added ? { readonly columns?: Added } : { readonly columns: Added })

/** Rows that a selector moved, each with the index of its reason in `moveReasons`. Columns of one length. */
export interface Moved {
  readonly rows: Int32Array
  readonly reasons: Uint8Array
}

/** Orders rows, or takes some of them; may add columns. Optional: `otherwise` selects without help. */
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

/** Changes something outside, before the answer. */
export interface SideEffect<Context, Columns> extends StageSpec<Context> {
  readonly kind: 'side-effect'
  readonly policy: 'required' | 'optional'
  readonly run: (context: Context, slate: Slate<Columns>, call: StageCall) => void | Promise<void>
}

export type StageKind = 'context' | 'source' | 'hydrator' | 'filter' | 'scorer' | 'selector' | 'side-effect'
