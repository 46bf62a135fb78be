import { placesOf, type Placed } from '@freshet/ordering/placement'
import type { Moved, Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { Notes } from './notes.ts'
import type { Draw, Ordered, OrderedColumns } from './pool.ts'

/** What a step made of the pool. */
interface StepResult extends Placed {
  readonly draw?: Draw
  readonly notes?: Notes
}

const [raised, heldBack] = [0, 1] as const

/**
 * A stage that orders the pool again; other rows stay where they are. `order` returns null if there is nothing to do. If it fails,
 * the order stays.
 */
export function orderingStep<Context extends Pick<FeedRequest, 'params'>>(
  name: string,
  order: (request: Context, ordered: Ordered, columns: CandidateColumns) => StepResult | null,
): Selector<Context, CandidateColumns & OrderedColumns, OrderedColumns> {
  return {
    kind: 'selector',
    name,
    policy: 'optional',
    moveReasons: ['raised', 'held-back'],
    otherwise: (_request, { columns: { ordered }, rows }) => ({ rows, columns: { ordered } }),
    run: (request, { columns, rows }) => {
      const { ordered } = columns
      const placed = ordered === null ? null : order(request, ordered, columns)
      if (ordered === null || placed === null) return { rows, columns: { ordered } }
      const { pool, steps } = ordered
      const next = rows.slice()
      for (let place = 0; place < placed.order.length; place++) next[place] = pool.pins.rows[placed.order[place]!]!
      return {
        rows: next,
        moved: movesOf(ordered, placed),
        columns: {
          ordered: {
            pool,
            placement: placed,
            steps: [...steps, { step: name, added: placed.added, notes: placed.notes ?? null }],
            draw: placed.draw ?? null,
          },
        },
      }
    },
  }
}

/** The pins that changed their place, as far as the steps fill places. */
function movesOf({ pool, placement }: Ordered, { order }: Placed): Moved {
  const before = placesOf(placement.order)
  const rows = new Int32Array(order.length)
  const reasons = new Uint8Array(order.length)
  let count = 0
  for (let place = 0; place < order.length; place++) {
    const candidate = order[place]!
    const earlier = before[candidate]!
    if (earlier === place || Math.min(place, earlier) >= pool.places) continue
    rows[count] = pool.pins.rows[candidate]!
    reasons[count++] = place < earlier ? raised : heldBack
  }
  return { rows: rows.subarray(0, count), reasons: reasons.subarray(0, count) }
}
