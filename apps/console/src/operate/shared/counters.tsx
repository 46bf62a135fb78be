import { Table } from '../../ui/table.tsx'
import { figure } from './format.ts'

/** Counters by action, then by half-life. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Counters as a table: an action in each line, a half-life in each column. */
export function Counters({ counts }: { readonly counts: Counts }) {
  const actions = Object.entries(counts)
  const halfLives = [...new Set(actions.flatMap(([, values]) => Object.keys(values)))]
  if (actions.length === 0) return <p className="soft">None yet.</p>
  return (
    <Table
      caption="Counters by action"
      rows={actions}
      keyOf={([action]) => action}
      columns={[
        { name: 'Action', cell: ([action]) => action },
        ...halfLives.map((halfLife) => ({
          name: halfLife === 'total' ? 'all' : halfLife,
          isNumber: true,
          cell: ([, values]: (typeof actions)[number]) => figure(values[halfLife] ?? 0),
        })),
      ]}
    />
  )
}
