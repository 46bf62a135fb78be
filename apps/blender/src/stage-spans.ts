import type { Tracing } from '@freshet/domain/tracing'
import type { RunRecord, StageRecord } from '@freshet/pipeline/record'
import type { StageKind } from '@freshet/pipeline/stage'

/** What a row of stages of one kind is called. */
const names: Readonly<Record<StageKind, string>> = {
  context: 'context',
  source: 'retrieve',
  hydrator: 'hydrate',
  filter: 'filter',
  scorer: 'score',
  selector: 'order',
  'side-effect': 'side effects',
}

/** Stages in a row that make one span. */
interface Row {
  readonly name: string
  readonly stages: StageRecord[]
}

/**
 * Records the stages of a run that has just ended as spans of the active trace. A stage in `alone` has a span of its own. Other
 * stages of one kind that follow each other share one, because a feed has dozens that take microseconds.
 */
export function recordStages(
  { pipeline, tookMs, stages }: RunRecord,
  { tracing, alone }: { readonly tracing: Tracing; readonly alone: ReadonlySet<string> },
): void {
  const active = tracing.active()
  if (!tracing.records || active === null || !active.sampled) return
  const parent = { traceparent: `00-${active.traceId}-${active.spanId}-01` }
  const startMs = tracing.nowMs() - tookMs
  for (const { name, stages: row } of rowsOf(stages, alone)) {
    const [first, last] = [row[0], row.at(-1)]
    if (first === undefined || last === undefined) continue
    const span = tracing.start({
      ...{ name: `stage ${name}`, kind: 'internal', parent, startMs: startMs + first.startedAtMs },
      attributes: {
        'freshet.pipeline': pipeline,
        'freshet.stages': row.length,
        'freshet.candidates_in': first.candidatesIn,
        'freshet.candidates_out': last.candidatesOut,
      },
    })
    span?.end(row.find(({ error }) => error !== null)?.error, startMs + last.startedAtMs + last.tookMs)
  }
}

function rowsOf(stages: readonly StageRecord[], alone: ReadonlySet<string>): readonly Row[] {
  const rows: Row[] = []
  let before: StageKind | null = null
  for (const record of stages) {
    const isAlone = alone.has(record.stage)
    if (isAlone) rows.push({ name: record.stage, stages: [record] })
    else if (before === record.kind) rows.at(-1)?.stages.push(record)
    else rows.push({ name: names[record.kind], stages: [record] })
    before = isAlone ? null : record.kind
  }
  return rows
}
