import { useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Badge, Card, Figure } from '../../ui/card.tsx'
import { Table } from '../../ui/table.tsx'
import { count, duration, percent } from '../shared/format.ts'
import { PipelineDrawing } from './drawing.tsx'
import { phasesOf, removalsOf, type StageFlow } from './layout.ts'

/** The stages of one kind of request: figures, drawing, table. */
export function Flow({
  title,
  note,
  stages,
}: {
  readonly title: string
  readonly note: string
  readonly stages: readonly StageFlow[]
}) {
  const [foldsQuiet, setFoldsQuiet] = useState(true)
  const [selected, setSelected] = useState<string | null>(null)
  const took = stages.reduce((sum, { tookMs, share }) => sum + share * (tookMs ?? 0), 0)
  const slowest = stages.reduce<StageFlow | null>(
    (most, flow) => ((flow.tookMs ?? 0) > (most?.tookMs ?? 0) ? flow : most),
    null,
  )
  // A stage that only some feeds have counts for its share.
  const removed = stages.reduce(
    (sum, flow) => sum + flow.share * removalsOf(flow).reduce((all, [, value]) => all + value, 0),
    0,
  )
  const found = Math.max(0, ...stages.map(({ candidatesOut }) => candidatesOut))
  const chosen = stages.find(({ stage }) => stage === selected)
  return (
    <Card
      title={title}
      note={note}
      actions={
        <Button
          size="s"
          aria-pressed={!foldsQuiet}
          onClick={() => {
            setFoldsQuiet(!foldsQuiet)
          }}
        >
          {foldsQuiet ? `Show all ${stages.length} stages` : 'Fold stages without effect'}
        </Button>
      }
    >
      <div className="figures">
        <Figure name="Candidates found" value={count(found)} />
        <Figure name="Taken out" value={count(removed)} note="all reasons" />
        <Figure name="On the page" value={count(stages.at(-1)?.candidatesOut ?? 0)} />
        <Figure name="Time of all stages" value={duration(took)} />
        {slowest !== null && <Figure name="Slowest" value={duration(slowest.tookMs ?? 0)} note={slowest.stage} />}
      </div>
      <div className="section-space">
        <PipelineDrawing
          phases={phasesOf(stages, foldsQuiet)}
          selected={selected}
          onSelect={(stage) => {
            setSelected(stage === selected ? null : stage)
          }}
        />
      </div>
      {chosen === undefined ? (
        <p className="soft section-space">Choose a stage for its numbers.</p>
      ) : (
        <StageDetails flow={chosen} />
      )}
      <details className="fold">
        <summary>As a table</summary>
        <Table
          caption={`Stages: ${title}`}
          rows={stages}
          keyOf={({ stage }) => stage}
          columns={[
            { name: 'Stage', cell: ({ stage }) => stage },
            { name: 'In', isNumber: true, cell: ({ candidatesIn }) => count(candidatesIn) },
            { name: 'Out', isNumber: true, cell: ({ candidatesOut }) => count(candidatesOut) },
            {
              name: 'Removed',
              cell: (flow) =>
                removalsOf(flow)
                  .map(([reason, value]) => `${reason} ${count(value)}`)
                  .join(', '),
            },
            { name: 'Time', isNumber: true, cell: ({ tookMs }) => (tookMs === null ? '—' : duration(tookMs)) },
            { name: 'In feeds', isNumber: true, cell: ({ share }) => percent(share) },
          ]}
        />
      </details>
    </Card>
  )
}

function StageDetails({ flow }: { readonly flow: StageFlow }) {
  const { stage, candidatesIn, candidatesOut, tookMs, errors, share } = flow
  return (
    <section className="notice section-space" aria-label={`Stage ${stage}`} aria-live="polite">
      <h3>{stage}</h3>
      <p>
        {count(candidatesIn)} in, {count(candidatesOut)} out
        {tookMs !== null && `, ${duration(tookMs)}`}
        {share < 1 && `, in ${percent(share)} of the feeds`}
      </p>
      <p className="tags">
        {removalsOf(flow).map(([reason, value]) => (
          <Badge key={reason} tone="warn">
            {reason} − {count(value)}
          </Badge>
        ))}
        {Object.entries(errors).map(([code, part]) => (
          <Badge key={code} tone="bad">
            {code} {percent(part)}
          </Badge>
        ))}
      </p>
    </section>
  )
}
