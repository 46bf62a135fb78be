import { grownFloat64, nextCapacity } from '../columns.ts'
import type { Source, SourceDefinition, SharedViews } from '../source.ts'
import { createTopList } from '../top-list.ts'
import { selectorInto } from '../score-board.ts'

/** Parameters of the popularity source. */
export type PopularityParameters = {
  /** After this long an action counts half, in the fast counter. */
  readonly fastHalfLifeMs: number
  readonly slowHalfLifeMs: number
  /** Weight of the fast counter's share of all actions; the slow one's is 1 less it. */
  readonly fastWeight: number
  /** Pins kept in each list of the most popular. */
  readonly maxListed: number
}

const dayMs = 86_400_000

/** What everybody likes now: decayed counts of positive actions at two half-lives, as shares of all actions. */
export const popularity: SourceDefinition<PopularityParameters> = {
  name: 'popularity',
  enabled: true,
  maxCandidates: 300,
  share: 1,
  parameters: { fastHalfLifeMs: dayMs, slowHalfLifeMs: 7 * dayMs, fastWeight: 0.5, maxListed: 2_000 },
  create: createPopularity,
}

function createPopularity({ catalogue, board }: SharedViews, parameters: PopularityParameters): Source {
  const halfLivesMs = [parameters.fastHalfLifeMs, parameters.slowHalfLifeMs]
  const weights = [parameters.fastWeight, 1 - parameters.fastWeight]
  // log2(counter) + at / halfLife orders pins the same at any time of asking, so the lists need no upkeep as time passes.
  let keys = halfLivesMs.map(() => new Float64Array(0))
  const totals = halfLivesMs.map(() => -Infinity)
  const lists = halfLivesMs.map((_, i) =>
    createTopList({ catalogue, maxListed: parameters.maxListed, keyOf: (row) => keys[i]?.[row] ?? -Infinity }),
  )

  function grow(size: number): void {
    keys = keys.map((column) => {
      if (column.length >= size) return column
      const grown = grownFloat64(column, nextCapacity(column.length, size))
      return grown.fill(-Infinity, column.length)
    })
  }

  return {
    name: 'popularity',
    scale: 'probability',
    foldEngagement({ engagement, row, positive }) {
      if (!positive || row < 0) return
      grow(row + 1)
      halfLivesMs.forEach((halfLifeMs, i) => {
        const column = keys[i]
        if (column === undefined) return
        const added = engagement.occurredAtMs / halfLifeMs
        column[row] = addedInLogs(column[row] ?? -Infinity, added)
        totals[i] = addedInLogs(totals[i] ?? -Infinity, added)
        lists[i]?.raised(row)
      })
    },
    foldPin(row) {
      for (const list of lists) list.changed(row)
    },
    query(query, hits) {
      board.clear()
      for (const list of lists) {
        for (let i = 0; i < list.size; i++) {
          const row = list.rowAt(i)
          if (board.get(row) > 0) continue
          let score = 0
          for (let h = 0; h < keys.length; h++)
            score += (weights[h] ?? 0) * 2 ** ((keys[h]?.[row] ?? -Infinity) - (totals[h] ?? 0))
          board.add(row, score)
        }
      }
      const best = selectorInto(catalogue, Math.min(query.limit, hits.rows.length), hits)
      for (let i = 0; i < board.touched; i++)
        best.offer(board.touchedRow(i), board.get(board.touchedRow(i)), query.accept)
      best.finish()
    },
    bytes: () =>
      keys.reduce((sum, column) => sum + column.byteLength, 0) + lists.reduce((sum, list) => sum + list.bytes(), 0),
    save(writer) {
      keys.forEach((column, i) => writer.f64(`keys${i}`, column))
      writer.f64('totals', Float64Array.from(totals))
    },
    load(reader) {
      keys = keys.map((_, i) => reader.f64(`keys${i}`))
      reader.f64('totals').forEach((total, i) => (totals[i] = total))
      for (const list of lists) list.rebuild()
    },
  }
}

/** log2(2^a + 2^b). */
function addedInLogs(a: number, b: number): number {
  const larger = Math.max(a, b)
  return larger === -Infinity ? larger : larger + Math.log2(1 + 2 ** (Math.min(a, b) - larger))
}
