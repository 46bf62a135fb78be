import { useState } from 'react'
import { callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Badge, Card, Figure } from '../../ui/card.tsx'
import { EmptyState, Loaded } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { OperatorPage } from '../frame.tsx'
import { Bars } from '../shared/bars.tsx'
import { count, duration, figure, percent, time } from '../shared/format.ts'
import { Switch } from '../shared/switch.tsx'
import '../shared/shared.css'
import './sources.css'

interface SourceShare {
  readonly source: string
  readonly pins: number
  readonly alone: number
  readonly credit: number
  readonly saves: number
  readonly clicks: number
  readonly hides: number
  readonly saveCredit: number
  readonly utility: number | null
}

interface Shares {
  readonly feeds: number
  readonly users: number
  readonly pins: number
  readonly saves: number
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly isCut: boolean
  readonly sources: readonly SourceShare[]
  readonly overlap: readonly (readonly number[])[]
}

interface SourceCost {
  readonly source: string
  readonly queries: number
  readonly meanMs: number
  readonly outcomes: Readonly<Record<string, number>>
}

interface SourcesAnswer {
  readonly shares: Shares | null
  readonly costs: readonly SourceCost[]
}

const spans = [
  { value: '1', name: 'Last hour' },
  { value: '24', name: 'Last day' },
  { value: '168', name: 'Last week' },
] as const
type Hours = (typeof spans)[number]['value']

/** What each candidate source adds to feeds, and what it costs. */
export function SourcesView() {
  const [hours, setHours] = useState<Hours>('24')
  const sources = useResource(
    `sources/${hours}`,
    (signal) => callJson<SourcesAnswer>(`/api/console/operate/sources?hours=${hours}`, { signal, timeoutMs: 35_000 }),
    { everyMs: 20_000 },
  )
  return (
    <OperatorPage
      title="Sources"
      about="What each candidate source adds to the feeds that users saw, what they saved of it, and what it costs."
    >
      <Switch<Hours> label="Time" value={hours} onChange={setHours} options={spans} />
      <div className="section-space">
        <Loaded what="The sources" resource={sources} lines={8}>
          {({ shares, costs }) => (
            <div className="stack">
              <SharesOf shares={shares} />
              <Costs costs={costs} />
            </div>
          )}
        </Loaded>
      </div>
    </OperatorPage>
  )
}

function SharesOf({ shares }: { readonly shares: Shares | null }) {
  if (shares === null)
    return (
      <EmptyState title="This console does not reach the log">
        Shares come from the records of served feeds. Start the console with the address of Kafka (--brokers) to see
        them. Costs are below.
      </EmptyState>
    )
  if (shares.feeds === 0)
    return (
      <EmptyState title="No feeds in this time" action={<a href="/">Open the feed</a>}>
        Choose a longer time, or ask for a feed: its pins appear here with the sources that found them.
      </EmptyState>
    )
  const { feeds, users, pins, saves, fromMs, toMs, isCut, sources } = shares
  const saved = sources.some(({ saveCredit }) => saveCredit > 0)
  return (
    <>
      <Card
        title="Served feeds"
        note={`${time(fromMs ?? 0)} to ${time(toMs ?? 0)}${isCut ? '; only the newest feeds of this time' : ''}`}
      >
        <div className="figures">
          <Figure name="Feeds" value={count(feeds)} />
          <Figure name="Users" value={count(users)} />
          <Figure name="Pins served" value={count(pins)} />
          <Figure
            name="Saved within an hour"
            value={count(saves)}
            note={pins > 0 ? `${percent(saves / pins)} of the pins` : ''}
          />
        </div>
      </Card>
      <div className="grid-2 even">
        <Card title="Share of served pins" note="A pin that several sources found counts for each in equal parts.">
          <Bars
            caption="Share of served pins by source"
            bars={sources.map(({ source, credit, alone }) => ({
              name: source,
              value: credit,
              text: percent(credit / pins),
              note: `${percent(alone / pins)} alone`,
            }))}
          />
        </Card>
        <Card title="Share of saves" note="Divided in the same way.">
          {saved ? (
            <Bars
              caption="Share of saves by source"
              series={2}
              bars={sources.map(({ source, saveCredit, saves: own, pins: found }) => ({
                name: source,
                value: saveCredit,
                text: percent(saveCredit / Math.max(1, saves)),
                note: `${percent(own / Math.max(1, found))} of its pins`,
              }))}
            />
          ) : (
            <p className="soft">
              Nobody saved a pin of these feeds within an hour. Save one on the feed, and it counts here.
            </p>
          )}
        </Card>
      </div>
      <Overlap shares={shares} />
      <Card title="What users did, by source" note="Pins, saves, clicks and hides of all pins that the source found.">
        <Table
          caption="What users did, by source"
          rows={sources}
          keyOf={({ source }) => source}
          columns={[
            { name: 'Source', cell: ({ source }) => source },
            { name: 'Pins', isNumber: true, cell: (row) => count(row.pins) },
            { name: 'Only this source', isNumber: true, cell: (row) => count(row.alone) },
            { name: 'Saves', isNumber: true, cell: (row) => count(row.saves) },
            { name: 'Clicks', isNumber: true, cell: (row) => count(row.clicks) },
            { name: 'Hides', isNumber: true, cell: (row) => count(row.hides) },
            { name: 'Mean utility', isNumber: true, cell: (row) => (row.utility === null ? '—' : figure(row.utility)) },
          ]}
        />
      </Card>
    </>
  )
}

function Overlap({ shares: { sources, overlap } }: { readonly shares: Shares }) {
  if (sources.length < 2) return null
  return (
    <Card
      title="Overlap"
      note="Of the pins that the source of a line found, the share that the source of a column found too. Two sources that always agree are one too many."
    >
      <div className="table-frame" role="region" aria-label="Overlap of sources" tabIndex={0}>
        <table className="table overlap">
          <caption className="hidden-words">Overlap of sources</caption>
          <thead>
            <tr>
              <th scope="col">Source</th>
              {sources.map(({ source }) => (
                <th key={source} scope="col">
                  {source}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sources.map(({ source, pins }, row) => (
              <tr key={source}>
                <th scope="row">{source}</th>
                {sources.map(({ source: other }, column) => {
                  const share = pins === 0 ? 0 : (overlap[row]?.[column] ?? 0) / pins
                  const level = row === column ? 'self' : String(Math.min(4, Math.ceil(4 * share)))
                  return (
                    <td key={other} className={`overlap-${level} number`}>
                      {row === column ? '·' : percent(share)}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  )
}

function Costs({ costs }: { readonly costs: readonly SourceCost[] }) {
  if (costs.length === 0)
    return (
      <Card title="Cost">
        <p className="soft">
          No candidate service has answered a query since its start, or none can be reached. System shows which are
          there.
        </p>
      </Card>
    )
  return (
    <Card title="Cost" note="Time of a query, and how queries ended, since the start of the candidate services.">
      <div className="stack">
        <Bars
          caption="Mean time of a query by source"
          series={6}
          bars={costs.map(({ source, meanMs, queries }) => ({
            name: source,
            value: meanMs,
            text: duration(meanMs),
            note: `${count(queries)} ×`,
          }))}
        />
        <Table
          caption="How queries ended, by source"
          rows={costs}
          keyOf={({ source }) => source}
          columns={[
            { name: 'Source', cell: ({ source }) => source },
            { name: 'Queries', isNumber: true, cell: ({ queries }) => count(queries) },
            {
              name: 'Outcomes',
              cell: ({ outcomes }) => (
                <span className="tags">
                  {Object.entries(outcomes).map(([outcome, queries]) => (
                    <Badge key={outcome} tone={outcome === 'answered' ? 'good' : outcome === 'empty' ? 'plain' : 'bad'}>
                      {outcome} {count(queries)}
                    </Badge>
                  ))}
                </span>
              ),
            },
          ]}
        />
      </div>
    </Card>
  )
}
