import { useState } from 'react'
import { useConfig } from '../../api/config-context.tsx'
import { callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Badge, Card, Figure } from '../../ui/card.tsx'
import { EmptyState, Loaded } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { AdminKeyCard } from '../admin-key.tsx'
import { OperatorPage } from '../frame.tsx'
import { Bars } from '../shared/bars.tsx'
import { Chart } from '../shared/chart.tsx'
import { bytes, count, duration, figure, percent } from '../shared/format.ts'
import '../shared/shared.css'
import { DeadLetters } from './dead-letters.tsx'
import { remember } from './history.ts'
import { momentsOf, summed, total, type Moment, type ServiceReport, type ServicesAnswer } from './samples.ts'
import './system.css'

/** Services, lag, degradation, memory, rates, freshness and dead letters. */
export function SystemView() {
  const config = useConfig().value
  const [history, setHistory] = useState<readonly ServicesAnswer[]>([])
  const services = useResource(
    'services',
    async (signal) => {
      const answer = await callJson<ServicesAnswer>('/api/console/operate/services', { signal })
      setHistory(remember(answer))
      return answer
    },
    { everyMs: 2_000 },
  )
  return (
    <OperatorPage
      title="System"
      about="Which services are there and why not, how far behind they are, what degrades, and what was put aside."
    >
      <div className="stack">
        {(config?.open === false || config?.demo === false) && <AdminKeyCard />}
        <Loaded what="The services" resource={services} lines={8}>
          {(answer) => (
            <>
              <Now answer={answer} moment={momentsOf(history).at(-1) ?? null} />
              <Services services={answer.services} />
              <Charts moments={momentsOf(history)} />
              <Outcomes services={answer.services} />
            </>
          )}
        </Loaded>
        <DeadLetters />
      </div>
    </OperatorPage>
  )
}

function Now({ answer: { services }, moment }: { readonly answer: ServicesAnswer; readonly moment: Moment | null }) {
  const ready = services.filter(({ state }) => state === 'ready').length
  const feeds = summed(services, (sample) => sample.feeds)
  // Somebody who has seen every pin got what there is.
  const degraded = total(feeds) - (feeds['NONE'] ?? 0) - (feeds['EXHAUSTED'] ?? 0)
  const ms = (value: number | null | undefined): string => (value == null ? '—' : duration(value))
  return (
    <Card title="Now" note="Every two seconds. Times are of the last half minute.">
      <div className="figures">
        <Figure name="Services ready" value={`${ready} of ${services.length}`} />
        <Figure
          name="Events"
          value={moment?.eventsPerSecond == null ? '—' : `${figure(Number(moment.eventsPerSecond.toFixed(1)))}/s`}
        />
        <Figure
          name="Feeds"
          value={moment?.feedsPerSecond == null ? '—' : `${figure(Number(moment.feedsPerSecond.toFixed(1)))}/s`}
        />
        <Figure
          name="Feed p50 / p99"
          value={<span className="figure-time">{`${ms(moment?.feedP50Ms)} / ${ms(moment?.feedP99Ms)}`}</span>}
        />
        <Figure
          name="Fresh p50 / p99"
          value={<span className="figure-time">{`${ms(moment?.freshP50Ms)} / ${ms(moment?.freshP99Ms)}`}</span>}
          note="event to feature"
        />
        <Figure name="Waiting records" value={moment?.lag == null ? '—' : count(moment.lag)} />
        <Figure name="Memory" value={moment?.memoryBytes == null ? '—' : bytes(moment.memoryBytes)} />
        <Figure
          name="Degraded feeds"
          value={total(feeds) === 0 ? '—' : percent(degraded / total(feeds))}
          note="since the start"
        />
      </div>
    </Card>
  )
}

const stateTone = { ready: 'good', unready: 'warn', down: 'bad' } as const
const stateWord = { ready: 'ready', unready: 'not ready', down: 'does not answer' } as const

function Services({ services }: { readonly services: readonly ServiceReport[] }) {
  if (services.length === 0)
    return (
      <EmptyState title="No services are known">
        Start the console with the operations addresses: <code>--operations blender=http://blender:9464</code>
      </EmptyState>
    )
  return (
    <div className="service-grid">
      {services.map(({ name, operations, state, version, reasons, sample }) => (
        <section key={`${name}/${operations}`} className={`card service service-${state}`} aria-label={name}>
          <header className="card-head">
            <div>
              <h2>{name}</h2>
              <p className="card-note mono">
                {operations.replace(/^https?:\/\//, '')}
                {version !== '' && `, ${version}`}
              </p>
            </div>
            <Badge tone={state === 'ready' && reasons.length > 0 ? 'warn' : stateTone[state]}>{stateWord[state]}</Badge>
          </header>
          {reasons.map((reason) => (
            <p key={reason} className={`notice ${state === 'down' ? 'notice-bad' : 'notice-warn'}`}>
              {reason}
            </p>
          ))}
          {sample !== null && (
            <dl className="facts section-space">
              {sample.memoryBytes !== null && (
                <>
                  <dt>Memory</dt>
                  <dd>
                    {bytes(sample.memoryBytes)}
                    {sample.heapBytes !== null && `, heap ${bytes(sample.heapBytes)}`}
                  </dd>
                </>
              )}
              {sample.eventLoopP99Ms !== null && (
                <>
                  <dt>Event loop p99</dt>
                  <dd>{duration(sample.eventLoopP99Ms)}</dd>
                </>
              )}
              {Object.keys(sample.lag).length > 0 && (
                <>
                  <dt>Waiting records</dt>
                  <dd className="tags">
                    {Object.entries(sample.lag).map(([reader, waiting]) => (
                      <Badge key={reader} tone={waiting > 1_000 ? 'warn' : 'plain'}>
                        {reader} {count(waiting)}
                      </Badge>
                    ))}
                  </dd>
                </>
              )}
              {(sample.failingPartitions ?? 0) > 0 && (
                <>
                  <dt>Partitions that stand still</dt>
                  <dd>
                    <Badge tone="bad">{count(sample.failingPartitions ?? 0)}</Badge>
                  </dd>
                </>
              )}
              {(sample.shed ?? 0) > 0 && (
                <>
                  <dt>Refused as too many</dt>
                  <dd>{count(sample.shed ?? 0)}</dd>
                </>
              )}
            </dl>
          )}
        </section>
      ))}
    </div>
  )
}

function Charts({ moments }: { readonly moments: readonly Moment[] }) {
  if (moments.length < 2)
    return (
      <Card title="Over time">
        <p className="soft">The charts begin with this view. They need a few seconds.</p>
      </Card>
    )
  const x = moments.map(({ atMs }) => atMs / 1_000)
  const of = (field: Exclude<keyof Moment, 'atMs'>): (number | null)[] => moments.map((moment) => moment[field])
  return (
    <div className="grid-2 even">
      <Card title="Events and feeds a second">
        <Chart
          label="Accepted events and answered feeds a second"
          x={x}
          lines={[
            { name: 'events', values: of('eventsPerSecond') },
            { name: 'feeds', values: of('feedsPerSecond') },
          ]}
          format={figure}
        />
      </Card>
      <Card title="Time of a feed">
        <Chart
          label="Time of a feed, median and 99th percentile"
          x={x}
          lines={[
            { name: 'p50', values: of('feedP50Ms') },
            { name: 'p99', values: of('feedP99Ms') },
          ]}
          format={duration}
        />
      </Card>
      <Card title="Freshness: event to feature" note="By canary events of the feature updater.">
        <Chart
          label="Time from an event to the feature, median and 99th percentile"
          x={x}
          lines={[
            { name: 'p50', values: of('freshP50Ms') },
            { name: 'p99', values: of('freshP99Ms') },
          ]}
          format={duration}
        />
      </Card>
      <Card title="Memory">
        <Chart
          label="Memory of all services"
          x={x}
          lines={[{ name: 'memory', values: of('memoryBytes'), series: 6 }]}
          format={bytes}
        />
      </Card>
    </div>
  )
}

const degradationWords: Readonly<Record<string, string>> = {
  NONE: 'full',
  PARTIAL: 'partial: a stage was left out',
  RETRIEVAL_ORDER: 'in retrieval order',
  EXHAUSTED: 'all pins were shown',
  LAST_GOOD: 'the last good feed',
  POPULAR: 'popular pins',
}

function Outcomes({ services }: { readonly services: readonly ServiceReport[] }) {
  const feeds = summed(services, (sample) => sample.feeds)
  const events = summed(services, (sample) => sample.events)
  const records = summed(services, (sample) => sample.records)
  const errors = services.flatMap(({ name, sample }) => (sample?.errors ?? []).map((error) => ({ name, ...error })))
  const bars = (counts: Readonly<Record<string, number>>, words: Readonly<Record<string, string>> = {}) => {
    const all = Math.max(1, total(counts))
    return Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, value]) => ({ name: words[name] ?? name, value, text: count(value), note: percent(value / all) }))
  }
  return (
    <>
      <div className="grid-3 even">
        <Card title="Degradation" note="Answered feeds since the start.">
          {total(feeds) === 0 ? (
            <p className="soft">No feed yet.</p>
          ) : (
            <Bars caption="Feeds by degradation" bars={bars(feeds, degradationWords)} />
          )}
        </Card>
        <Card title="Events" note="At the intake, since the start.">
          {total(events) === 0 ? (
            <p className="soft">No event yet.</p>
          ) : (
            <Bars caption="Events by outcome" bars={bars(events)} series={3} />
          )}
        </Card>
        <Card title="Applied" note="By the feature updater, since its start.">
          {total(records) === 0 ? (
            <p className="soft">No record yet.</p>
          ) : (
            <Bars caption="Records by outcome" bars={bars(records)} series={5} />
          )}
        </Card>
      </div>
      {errors.length > 0 && (
        <Card title="Errors since the start" note="What did not end a process. Details are in its log.">
          <Table
            caption="Errors"
            rows={errors}
            keyOf={({ name, part, code, outcome }) => `${name}/${part}/${code}/${outcome}`}
            columns={[
              { name: 'Service', cell: ({ name }) => name },
              { name: 'Part', cell: ({ part }) => part },
              { name: 'Code', cell: ({ code }) => <span className="mono">{code}</span> },
              {
                name: 'Consequence',
                cell: ({ outcome }) => (
                  <Badge tone={outcome === 'lost' || outcome === 'defect' ? 'bad' : 'warn'}>{outcome}</Badge>
                ),
              },
              { name: 'Times', isNumber: true, cell: (error) => count(error.count) },
            ]}
          />
        </Card>
      )}
    </>
  )
}
