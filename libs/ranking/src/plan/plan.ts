import { createHash } from 'node:crypto'
import type { ValueType } from './value-type.ts'

/** Where a value can differ: once for a request, or for each candidate. */
export type Side = 'request' | 'candidate'

/** A value that the caller gives, for example a column of training rows or a feature of the catalogue. */
export interface PlanInput {
  /** Its name, for example `pin.save_rate`. */
  readonly name: string
  readonly type: ValueType
  readonly side: Side
}

/** A value computed by one transform. */
export interface PlanNode {
  /** Unique in the plan. A statement's name, or for an inner expression the statement's name, `#` and a number. */
  readonly id: string
  /** Name of the transform. */
  readonly transform: string
  /** Names of inputs and ids of earlier nodes. */
  readonly args: readonly string[]
  /** The transform's parameters with all defaults filled in. */
  readonly params: Readonly<Record<string, unknown>>
  readonly type: ValueType
  readonly side: Side
}

/** A prediction. */
export interface PlanHead {
  /** Its name; also the name of its column of labels unless `label` says otherwise. */
  readonly name: string
  /** A probability is trained by log loss on a label of 0 or 1, an amount by squared error on log1p of the label. */
  readonly kind: 'probability' | 'amount'
  readonly label: string
  /** The node of the logit, or of log1p of the amount. Type scalar. */
  readonly value: string
  /** Weight of the head's loss. */
  readonly lossWeight: number
  /** How predictions are corrected on rows held out. */
  readonly calibrate: 'none' | 'platt' | 'isotonic'
}

/** How a model of this plan is trained. */
export interface TrainingPlan {
  readonly epochs: number
  readonly batchRows: number
  readonly learningRate: number
  /** L2 penalty of embedding tables. */
  readonly l2: number
  readonly dropout: number
  /** Epochs without an improvement before the rate falls, and again before training ends. */
  readonly patience: number
}

/**
 * A compiled ranking spec: what the trainer, the ranker and `freshet spec eval` execute. Plain JSON. Fitted statistics and
 * learned weights are not part of it.
 */
export interface Plan {
  readonly format: 1
  /** Name of the spec. */
  readonly spec: string
  readonly inputs: readonly PlanInput[]
  /** In an order in which each node comes after its arguments. */
  readonly nodes: readonly PlanNode[]
  /** The light first phase: `keep` candidates with the highest score go to the model; null: all do. */
  readonly firstPhase: { readonly score: string; readonly keep: number } | null
  /** The node or input that is the standard deviation of the utility, by which the blender explores. Absent: it does not. */
  readonly exploration?: string | undefined
  readonly heads: readonly PlanHead[]
  /** The utility of a candidate: Σ weight · prediction. */
  readonly utility: readonly { readonly head: string; readonly weight: number }[]
  /** Names of scalar nodes and inputs whose values are recorded and shown by `why`. */
  readonly exposed: readonly string[]
  /** Inputs that only training knows, such as the position; serving replaces each by the number given. */
  readonly trainingOnly: readonly { readonly input: string; readonly servingValue: number }[]
  readonly training: TrainingPlan
}

/** The plan as canonical JSON: keys in order of their code units, no blanks. Equal plans give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  )
}

/** A hash of the plan, 16 hexadecimal digits. */
export function hashOfPlan(plan: Plan): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex').slice(0, 16)
}
