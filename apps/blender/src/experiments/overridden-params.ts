import type { ParameterValue } from '@freshet/experiments/experiments'
import type { FeedParams } from '../params.ts'

/** A parameter of an experiment. */
export interface ParameterReading {
  readonly path: readonly string[]
  /** What the arm sets; undefined: nothing, the parameter keeps its value. */
  readonly own: ParameterValue | undefined
  /** Called when a stage reads the parameter. */
  readonly onRead: () => void
}

type Node = Record<string, unknown>

/** Parameters with other values that report when they are read. Paths must not be parts of each other. The given object stays as it is. */
export function overriddenParams(params: FeedParams, readings: readonly ParameterReading[]): FeedParams {
  const root: Node = { ...params }
  const copies = new Set<unknown>([root])
  for (const { path, own, onRead } of readings) {
    let node = root
    for (const key of path.slice(0, -1)) {
      if (!copies.has(node[key])) {
        node[key] = { ...(node[key] as Node) }
        copies.add(node[key])
      }
      node = node[key] as Node
    }
    const key = path.at(-1)!
    const value = own === undefined ? node[key] : own.value
    const get = (): unknown => {
      onRead()
      return value
    }
    Object.defineProperty(node, key, { enumerable: true, get })
  }
  return root as unknown as FeedParams
}
