import { nearest } from '@freshet/domain/nearest'
import type { z } from 'zod'
import type { ParameterValue } from '../experiments.ts'
import type { ExperimentProblem } from './experiments-error.ts'

type Tree = Readonly<Record<string, unknown>>

/** What an arm's parameters mean, or what is wrong with them. */
export interface ParameterReading {
  readonly values: readonly ParameterValue[]
  readonly problems: readonly ExperimentProblem[]
}

/** Reads the parameters of an arm. `at`: where they are in the file. */
export type ReadParameters = (given: Tree, at: string) => ParameterReading

/**
 * Reads parameters by a schema: what an arm gives is merged into `defaults`, object by object, and the result has to fit the
 * schema. So an arm gives only what it changes.
 */
export function parametersOf(schema: z.ZodType, defaults: object): ReadParameters {
  return (given, at) => {
    const leaves = leavesOf(given)
    const unknown = leaves.flatMap(({ path }) => unknownProblem(defaults as Tree, path, at))
    if (unknown.length > 0) return { values: [], problems: unknown }
    const parsed = schema.safeParse(merged(defaults as Tree, given))
    if (!parsed.success) return { values: [], problems: issueProblems(parsed.error.issues, at) }
    const values = leaves.map(({ path }) => ({ path, value: valueAt(parsed.data, path) }))
    const lost = values.filter(({ value }) => value === undefined)
    return {
      values,
      problems: lost.map(({ path }) => problem(at, path, 'is not a parameter')),
    }
  }
}

/** The values of a tree of plain objects, with their paths. Lists are values. */
function leavesOf(tree: Tree, path: readonly string[] = []): ParameterValue[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) ? leavesOf(value, [...path, key]) : [{ path: [...path, key], value }],
  )
}

/** `fromEntries` makes own properties of all keys, so that a key such as `__proto__` changes nothing else. */
function merged(base: Tree, over: Tree): Tree {
  const entries = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(over)) {
    const before = entries.get(key)
    entries.set(key, isTree(value) ? merged(isTree(before) ? before : {}, value) : value)
  }
  return Object.fromEntries(entries)
}

/** Finds the first key of a path that is not among the defaults. Below an empty object the schema decides. */
function unknownProblem(defaults: Tree, path: readonly string[], at: string): ExperimentProblem[] {
  let node: unknown = defaults
  for (const [depth, key] of path.entries()) {
    if (!isTree(node) || Object.keys(node).length === 0) return []
    if (!Object.hasOwn(node, key)) {
      const close = nearest(key, Object.keys(node))
      const hint = close === null ? `; there are ${Object.keys(node).join(', ')}` : `; did you mean ${close}?`
      return [problem(at, path.slice(0, depth + 1), `is not a parameter${hint}`)]
    }
    node = node[key]
  }
  return []
}

function issueProblems(issues: readonly z.core.$ZodIssue[], at: string): ExperimentProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => problem(at, [...path, key], 'is not a parameter'))
    return [problem(at, path, `is not allowed: ${issue.message}`)]
  })
}

function problem(at: string, path: readonly string[], text: string): ExperimentProblem {
  return { code: 'EXPERIMENTS_PARAMETER', path: [at, ...path].join('.'), text }
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => (isTree(node) && Object.hasOwn(node, key) ? node[key] : undefined), tree)
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
