import { Badge } from '../../ui/card.tsx'
import { Table } from '../../ui/table.tsx'
import { count, duration, percent } from '../shared/format.ts'
import { tableLines } from './lines.ts'
import { forPage } from './words.ts'
import type { Job } from './types.ts'

/** How far an import is, and its table. */
export function JobProgress({ job }: { readonly job: Job }) {
  const { state, phase, table, notices, error, tookMs, dryRun } = job
  const lines = tableLines(job)
  const rate = tookMs > 0 ? (1_000 * table.read) / tookMs : 0
  return (
    <div className="stack import-job">
      {state === 'running' && (
        <div role="status" aria-live="off">
          <progress
            aria-label={phase?.label ?? 'Starting'}
            max={1}
            {...(phase?.share !== null && phase !== null && { value: phase.share })}
          />
          <p className="soft">
            {phase === null
              ? 'Starting: bringing the list of known events up to date'
              : `${phase.label}: ${count(phase.done)}${phase.total === null ? '' : ` of ${count(phase.total)}`} ${phase.unit}${phase.share === null ? '' : `, ${percent(phase.share)}`}`}
            {phase !== null && phase.label === 'writing' && phase.share === 1 && '; waiting until they are applied'}
          </p>
        </div>
      )}
      {error !== null && (
        <p className="notice notice-bad" role="alert">
          <strong>{error.code}</strong>: {forPage(error.message)}
        </p>
      )}
      <table className="table import-table">
        <caption className="hidden-words">What became of the rows</caption>
        <tbody>
          {lines.map(({ name, count: value, note, tone, isPart }) => (
            <tr key={name} className={isPart ? 'import-part' : undefined}>
              <th scope="row">{name}</th>
              <td className={`number import-${tone}`}>{count(value)}</td>
              <td className="soft">{note}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {table.refusals.length > 0 && (
        <section aria-label="Refused rows">
          <h3>Refused rows</h3>
          <Table
            caption="Refused rows by reason"
            rows={table.refusals}
            keyOf={({ code, field }) => `${code}/${field}`}
            columns={[
              {
                name: 'Reason',
                cell: ({ code, field }) => (
                  <>
                    <Badge tone="bad">{code}</Badge> {field !== '' && <span className="mono">{field}</span>}
                  </>
                ),
              },
              { name: 'Rows', isNumber: true, cell: (refusal) => count(refusal.count) },
              {
                name: 'Lines',
                cell: ({ places, count: all }) => `${places.join(', ')}${all > places.length ? ', …' : ''}`,
              },
              {
                name: 'The first of them',
                cell: ({ example }) => <span className="import-example">{forPage(example)}</span>,
              },
            ]}
          />
        </section>
      )}
      {notices.map((notice) => (
        <p key={notice} className="notice">
          {notice}
        </p>
      ))}
      {state === 'done' && (
        <p className="soft">
          {count(table.read)} rows in {duration(tookMs)}, {count(Math.round(rate))} a second.{' '}
          {dryRun ? 'Nothing was written.' : <a href="/operate/users">Look at one of the users</a>}
        </p>
      )}
    </div>
  )
}
