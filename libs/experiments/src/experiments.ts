/** What is drawn by lot: a user, a session, or a feed with all its pages. */
export type Unit = 'user' | 'session' | 'feed'

/** A parameter that an arm sets. */
export interface ParameterValue {
  /** Keys from the outermost object to the value. */
  readonly path: readonly string[]
  readonly value: unknown
}

/** One variant of an experiment. */
export interface Arm {
  readonly name: string
  /** The arm has the buckets from `firstBucket` to before `endBucket`. */
  readonly firstBucket: number
  readonly endBucket: number
  readonly params: readonly ParameterValue[]
  /** The only candidate sources; empty: all. */
  readonly onlySources: readonly string[]
  readonly withoutSources: readonly string[]
  /** Version of the model that ranks; '': the ranker decides. */
  readonly model: string
  /** Factors on the heads in the utility. */
  readonly headFactors: ReadonlyMap<string, number>
}

/** Arms that are compared with each other. */
export interface Experiment {
  readonly name: string
  readonly control: string
  readonly arms: readonly Arm[]
  /** Paths of all parameters that some arm sets, in the order of the file. */
  readonly params: readonly (readonly string[])[]
  /** Whether some arm changes the sources, the model, or the factors of heads. */
  readonly changes: { readonly sources: boolean; readonly model: boolean; readonly headFactors: boolean }
}

/** Experiments that exclude each other. Layers divide the units independently of each other. */
export interface Layer {
  readonly name: string
  readonly salt: string
  readonly unit: Unit
  readonly experiments: readonly Experiment[]
}

/** The share of the users who are in no experiment. */
export interface HoldOut {
  /** How many of the 1,000 buckets are held out: those from 0 on. */
  readonly buckets: number
  readonly salt: string
}

/** A checked experiment file. */
export interface Experiments {
  /** Hash of the file's content: 16 hexadecimal digits. */
  readonly version: string
  /** null: nobody is held out. */
  readonly holdOut: HoldOut | null
  readonly layers: readonly Layer[]
}

/** The name under which feeds record the hold-out, as a layer and as an experiment. */
export const holdOutName = 'hold-out'
