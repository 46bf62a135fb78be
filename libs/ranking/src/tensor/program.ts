import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { ValueType } from '../plan/value-type.ts'
import type { LearnedTraining, LearnedTransform, WeightShape } from '../transforms/definition.ts'
import { learnedTransform } from '../transforms/learned/catalogue.ts'
import { differentiable, differentiableNames } from './differentiable.ts'

/** A weight of a plan. */
export interface PlanWeight extends WeightShape {
  /** `NODE/NAME`, unique in the plan. */
  readonly key: string
  /** Name of the column whose indices choose rows of this weight; null: none do. */
  readonly indexedBy: string | null
}

/** The columns of one pass, as tensors: by name, and optionally another one for a weight (`NODE/NAME`) that they index. */
export type Feed = (name: string, weight: string | null) => Tensor

/** What a pass gives to learned transforms. */
export type TrainingOf = (node: string) => LearnedTraining

/** The learned part of a plan: what learned transforms compute, and all that depends on it. */
export interface TensorProgram {
  /** Names and types of the columns that it reads; the plan's executor computes them. */
  readonly reads: ReadonlyMap<string, ValueType>
  readonly weights: readonly PlanWeight[]
  /** The nodes whose values a pass gives: those of the heads, or those that were asked for. */
  readonly results: readonly string[]
  /** The nodes that it computes, in order. */
  readonly steps: readonly TensorStep[]
  /** Values of the results, row by row. */
  run(feed: Feed, weights: ReadonlyMap<string, Tensor>, rows: number, training: TrainingOf | null): Tensor2D
}

/** A node of the learned part; `learned` is null for a fixed transform after a learned one. */
export interface TensorStep {
  readonly node: PlanNode
  readonly learned: LearnedTransform | null
  readonly weights: readonly WeightShape[]
}

/**
 * Compiles the learned part. `results`: nodes whose values a pass gives, by default those of the heads. Throws a TypeError if a
 * transform after a learned one has no tensor form.
 */
export function compileTensorProgram(
  plan: Plan,
  results: readonly string[] = plan.heads.map(({ value }) => value),
): TensorProgram {
  const types = typesOf(plan)
  const steps = stepsOf(plan, results, types)
  const computed = new Set(steps.map(({ node }) => node.id))
  const reads = new Map<string, ValueType>()
  const read = (name: string): void => {
    if (!computed.has(name)) reads.set(name, types.get(name)!)
  }
  for (const { node } of steps) node.args.forEach(read)
  results.forEach(read)
  return {
    reads,
    results,
    steps,
    weights: steps.flatMap(({ node, weights }) =>
      weights.map((weight) => ({
        ...weight,
        key: `${node.id}/${weight.name}`,
        indexedBy: weight.rowsOf === undefined ? null : node.args[weight.rowsOf]!,
      })),
    ),
    run(feed, weights, rows, training) {
      const values = new Map<string, Tensor>()
      for (const step of steps) values.set(step.node.id, runStep(step, { values, feed, weights, rows, training }))
      const given = results.map((name) => widen(values.get(name) ?? feed(name, null), rows) as Tensor2D)
      return given.length === 1 ? given[0]! : tf.concat(given, 1)
    },
  }
}

function typesOf({ inputs, nodes }: Plan): ReadonlyMap<string, ValueType> {
  return new Map([
    ...inputs.map(({ name, type }) => [name, type] as const),
    ...nodes.map(({ id, type }) => [id, type] as const),
  ])
}

/** The nodes that gradient descent goes through, in order, as far as a result needs them. */
function stepsOf(plan: Plan, results: readonly string[], types: ReadonlyMap<string, ValueType>): readonly TensorStep[] {
  const steps = new Map<string, TensorStep>()
  const needed = neededBy(plan, results)
  for (const node of plan.nodes) {
    if (!needed.has(node.id)) continue
    const learned = learnedTransform(node.transform) ?? null
    if (learned === null && !node.args.some((arg) => steps.has(arg))) continue
    if (learned === null && differentiable(node.transform) === undefined)
      throw new TypeError(
        `${node.id}: ${node.transform} cannot be used after a learned transform; these can: ${differentiableNames.join(', ')}`,
      )
    const args = node.args.map((arg) => types.get(arg)!)
    steps.set(node.id, { node, learned, weights: learned?.weights(args, node.params) ?? [] })
  }
  return [...steps.values()]
}

function neededBy({ nodes }: Plan, results: readonly string[]): ReadonlySet<string> {
  const needed = new Set(results)
  for (const node of nodes.toReversed()) if (needed.has(node.id)) node.args.forEach((arg) => needed.add(arg))
  return needed
}

interface Pass {
  readonly values: ReadonlyMap<string, Tensor>
  readonly feed: Feed
  readonly weights: ReadonlyMap<string, Tensor>
  readonly rows: number
  readonly training: TrainingOf | null
}

function runStep({ node, learned, weights }: TensorStep, { values, feed, weights: all, rows, training }: Pass): Tensor {
  const args = node.args.map((name, at) => {
    const indexed = weights.find(({ rowsOf }) => rowsOf === at)
    const value = values.get(name) ?? feed(name, indexed === undefined ? null : `${node.id}/${indexed.name}`)
    return node.side === 'candidate' ? widen(value, rows) : value
  })
  if (learned === null) return differentiable(node.transform)!(args, node.params)
  const own = new Map(weights.map(({ name }) => [name, all.get(`${node.id}/${name}`)!]))
  return learned.apply(args, node.params, own, training?.(node.id) ?? null)
}

/** Repeats a value of the request for all rows. */
function widen(value: Tensor, rows: number): Tensor {
  if (value.shape[0] === rows) return value
  return tf.tile(value, [rows, ...value.shape.slice(1).map(() => 1)])
}
