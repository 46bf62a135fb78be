import type { Pin } from '@freshet/domain/pin'
import type { TrainedModel } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import type { PlanInput } from '../plan/plan.ts'
import { createStaticColumns } from '../plan/static-columns.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { factReaders } from './fact-columns.ts'
import type { RankingPage } from './page.ts'

/** Values of nodes that depend on a pin's entry in the catalogue alone. They are computed once for each version of the entry. */
export interface PinColumns {
  /** Ids of these nodes: a scorer takes them as given. */
  readonly nodes: ReadonlySet<string>
  /** The values for the pins of a page, valid until the next call. A pin without an entry (null) is computed each time. */
  of(page: RankingPage, pins: readonly (Pin | null)[]): ReadonlyMap<string, Column>
}

const ofEntry: ReadonlySet<string> = new Set(['pin.id', 'pin.creator', 'pin.topics'])

/** Versions of entries whose values are kept. When there are more, all are computed again. */
const mostKept = 1_000_000

/** Keeps the values of a model's static nodes. Throws a PlanError if the plan's statistics do not fit. */
export function createPinColumns({ plan, parameters }: TrainedModel, maxKept = mostKept): PinColumns {
  const columns = createStaticColumns(plan, parameters.fitted, transformCatalogue, ({ name }) => ofEntry.has(name))
  /** Rows by the entry itself: a changed entry is another object. */
  let rowOf = new WeakMap<Pin, number>()
  let used = 0

  /** Gives each pin a row; returns the places of those whose values are not there yet. */
  function place(pins: readonly (Pin | null)[], rows: Int32Array): readonly number[] {
    if (used + pins.length > maxKept) [rowOf, used] = [new WeakMap(), 0]
    const missing: number[] = []
    const unknown: number[] = []
    for (let at = 0; at < pins.length; at++) {
      const pin = pins[at]!
      if (pin === null) {
        unknown.push(at)
        continue
      }
      const row = rowOf.get(pin)
      rows[at] = row ?? used
      if (row !== undefined) continue
      rowOf.set(pin, used++)
      missing.push(at)
    }
    // These rows are free, so later entries take them.
    for (const [count, at] of unknown.entries()) rows[at] = used + count
    return [...missing, ...unknown]
  }

  return {
    nodes: columns.nodes,
    of(page, pins) {
      if (columns.nodes.size === 0) return none
      const rows = new Int32Array(pins.length)
      const places = place(pins, rows)
      if (places.length > 0) {
        const some = {
          page: { ...page, pinIds: places.map((at) => page.pinIds[at]!) },
          pins: places.map((at) => pins[at]!),
        }
        const inputs = columns.inputs.map(
          (input) => [input.name, factReaders.get(input.name)!(some, maxOf(input))] as const,
        )
        columns.update(
          Int32Array.from(places, (at) => rows[at]!),
          new Map(inputs),
        )
      }
      return columns.gather(rows)
    },
  }
}

const none: ReadonlyMap<string, Column> = new Map()

function maxOf({ type }: PlanInput): number {
  return type.kind === 'sequence' ? type.max : 1
}
