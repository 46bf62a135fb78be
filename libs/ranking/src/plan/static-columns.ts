import type { TransformCatalogue } from '../transforms/catalogue.ts'
import type { Column } from './column.ts'
import type { Plan, PlanInput, PlanNode } from './plan.ts'
import { createProgram } from './program.ts'
import { keptNodes, type IsStatic } from './static-nodes.ts'

/** The values of static nodes by row of pin: computed when a pin changes and gathered for a request. */
export interface StaticColumns {
  /** Ids of the nodes that are kept: a program takes them as `given`. */
  readonly nodes: ReadonlySet<string>
  /** The inputs that `update` needs. */
  readonly inputs: readonly PlanInput[]
  /** Computes the values of changed pins. `pins`: their row numbers; row i of the inputs is that of `pins[i]`. */
  update(pins: Int32Array, inputs: ReadonlyMap<string, Column>): void
  /** The values of some pins, valid until the next call. A pin that was never computed has missing values. */
  gather(pins: Int32Array): ReadonlyMap<string, Column>
}

/** Keeps the static nodes of a plan. Throws a PlanError as `createProgram` does. */
export function createStaticColumns(
  plan: Plan,
  fitted: ReadonlyMap<string, unknown>,
  catalogue: TransformCatalogue,
  isStatic: IsStatic,
): StaticColumns {
  const kept = keptNodes(plan, catalogue, isStatic)
  const results = kept.map(({ id }) => id)
  const program = createProgram(plan, fitted, catalogue, { results })
  const stores = kept.map((node) => [node.id, storeOf(node)] as const)
  const gathered = new Map<string, Column>()
  return {
    nodes: new Set(results),
    inputs: program.inputs,
    update(pins, inputs) {
      const columns = program.run(inputs, pins.length)
      for (const [id, store] of stores) store.put(pins, columns.get(id)!)
    },
    gather(pins) {
      for (const [id, store] of stores) gathered.set(id, store.gather(pins))
      return gathered
    },
  }
}

interface Store {
  put(pins: Int32Array, column: Column): void
  gather(pins: Int32Array): Column
}

function storeOf({ type }: PlanNode): Store {
  if (type.kind !== 'index') {
    const width = type.kind === 'vector' ? type.size : 1
    const rows = new Rows(width, (length) => new Float32Array(length).fill(NaN))
    return {
      put: (pins, column) => rows.put(pins, column.kind === 'numbers' ? column.values : [], column.rows),
      gather: (pins) => ({ kind: 'numbers', rows: pins.length, width, values: rows.gather(pins) }),
    }
  }
  const { hashes } = type
  const rows = new Rows(hashes, (length) => new Int32Array(length).fill(-1))
  return {
    put: (pins, column) => rows.put(pins, column.kind === 'indices' ? column.values : [], column.rows),
    gather: (pins) => ({ kind: 'indices', rows: pins.length, hashes, values: rows.gather(pins) }),
  }
}

/** Rows of one width that grow with the highest row number. */
class Rows<Values extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>> {
  readonly #width: number
  readonly #missing: (length: number) => Values
  #values: Values
  #out: Values

  constructor(width: number, missing: (length: number) => Values) {
    this.#width = width
    this.#missing = missing
    this.#values = missing(0)
    this.#out = missing(0)
  }

  /** Row i of `from` becomes the row `pins[i]`; one row stands for all. */
  put(pins: Int32Array, from: ArrayLike<number>, rows: number): void {
    const width = this.#width
    for (let at = 0; at < pins.length; at++) {
      const to = pins[at]! * width
      if (to + width > this.#values.length) this.#grow(to + width)
      const start = rows === 1 ? 0 : at * width
      for (let column = 0; column < width; column++) this.#values[to + column] = from[start + column]!
    }
  }

  gather(pins: Int32Array): Values {
    const width = this.#width
    const values = this.#values
    if (this.#out.length !== pins.length * width) this.#out = this.#missing(pins.length * width)
    const out = this.#out
    const missing = this.#missing(1)[0]!
    for (let at = 0; at < pins.length; at++)
      for (let column = 0; column < width; column++) {
        const from = pins[at]! * width + column
        out[at * width + column] = from < values.length ? values[from]! : missing
      }
    return out
  }

  #grow(least: number): void {
    const grown = this.#missing(Math.max(least, 2 * this.#values.length))
    grown.set(this.#values)
    this.#values = grown
  }
}
