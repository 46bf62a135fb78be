import { callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Badge, Card } from '../../ui/card.tsx'
import { Loaded } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { OperatorPage } from '../frame.tsx'
import { count, figure, percent } from '../shared/format.ts'
import { JsonFold } from '../shared/json-fold.tsx'
import { exampleFile } from './example.ts'
import '../shared/shared.css'

/** A number with its interval; null: unbounded. */
interface Estimate {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

interface MetricReport {
  readonly metric: string
  readonly estimate: Estimate
  readonly difference: {
    readonly absolute: Estimate
    readonly relative: Estimate | null
    readonly p: number | null
  } | null
  readonly adjusted: {
    readonly absolute: Estimate
    readonly p: number | null
    readonly varianceReduction: number
  } | null
}

interface ExperimentReport {
  readonly layer: string
  readonly experiment: string
  readonly unit: string
  readonly control: string
  readonly isPlanned: boolean
  readonly arms: readonly {
    readonly arm: string
    readonly users: number
    readonly feeds: number
    readonly metrics: readonly MetricReport[]
  }[]
  readonly sampleRatio: { readonly isMismatch: boolean } | null
  readonly warnings: readonly string[]
}

interface Arm {
  readonly name: string
  readonly firstBucket: number
  readonly endBucket: number
  readonly params: Readonly<Record<string, unknown>>
  readonly onlySources: readonly string[]
  readonly withoutSources: readonly string[]
  readonly model: string
  readonly headFactors: Readonly<Record<string, number>>
}

interface FileSummary {
  readonly version: string
  readonly holdOut: { readonly share: number } | null
  readonly layers: readonly {
    readonly name: string
    readonly unit: string
    readonly experiments: readonly { readonly name: string; readonly control: string; readonly arms: readonly Arm[] }[]
  }[]
}

interface ExperimentsAnswer {
  readonly file: {
    readonly path: string
    readonly summary: FileSummary | null
    readonly problems: readonly string[]
    readonly warnings: readonly string[]
  } | null
  /** The file is with the blenders, and only their feeds tell of experiments. */
  readonly isFileElsewhere: boolean
  readonly report: {
    readonly feeds: number
    readonly damaged: number
    readonly level: number
    readonly experiments: readonly ExperimentReport[]
  } | null
}

/** The experiment file and what its arms did. */
export function ExperimentsView() {
  const experiments = useResource(
    'experiments',
    (signal) => callJson<ExperimentsAnswer>('/api/console/operate/experiments', { signal, timeoutMs: 35_000 }),
    { everyMs: 30_000 },
  )
  return (
    <OperatorPage
      title="Experiments"
      about="Which users get other parameters, and what they then do. Arms are compared by the records of served feeds."
    >
      <Loaded what="The experiments" resource={experiments} lines={8}>
        {({ file, isFileElsewhere, report }) => (
          <div className="stack">
            {file !== null ? (
              <FileCard file={file} />
            ) : isFileElsewhere && report !== null && report.experiments.length > 0 ? null : (
              <NoFile feeds={isFileElsewhere ? (report?.feeds ?? null) : null} isFileElsewhere={isFileElsewhere} />
            )}
            <Report report={report} hasFile={file !== null} />
          </div>
        )}
      </Loaded>
    </OperatorPage>
  )
}

function NoFile({ feeds, isFileElsewhere }: { readonly feeds: number | null; readonly isFileElsewhere: boolean }) {
  const isUnknown = isFileElsewhere && feeds === null
  return (
    <Card
      title={
        isUnknown
          ? 'How to run an experiment'
          : isFileElsewhere
            ? `No experiment in the newest ${count(feeds ?? 0)} feeds`
            : 'No experiment is running'
      }
      note="An experiment is a JSON file; every blender reads the same one."
    >
      <ol className="steps">
        <li>
          Write a file such as this one as <code>experiments.json</code>. It takes the source “trending” from a quarter
          of the users, and compares them with another quarter.
          <pre className="code" tabIndex={0}>
            {exampleFile}
          </pre>
        </li>
        <li>
          Check it:
          <pre className="code">npx freshet experiments check experiments.json</pre>
        </li>
        <li>
          {isFileElsewhere ? (
            <>
              Give it to every blender:
              <pre className="code">FRESHET_BLENDER_EXPERIMENTS_FILE=experiments.json</pre>
            </>
          ) : (
            <>
              Start with it. In a deployment, set <code>blender.experimentsFile</code>.
              <pre className="code">npm start -- --blender.experimentsFile experiments.json</pre>
            </>
          )}
        </li>
      </ol>
    </Card>
  )
}

function FileCard({
  file: { path, summary, problems, warnings },
}: {
  readonly file: NonNullable<ExperimentsAnswer['file']>
}) {
  return (
    <Card
      title="Experiment file"
      note={<span className="mono">{path}</span>}
      actions={<Badge tone={summary === null ? 'bad' : 'good'}>{summary === null ? 'cannot be used' : 'good'}</Badge>}
    >
      {problems.map((problem) => (
        <p key={problem} className="notice notice-bad">
          {problem}
        </p>
      ))}
      {warnings.map((warning) => (
        <p key={warning} className="notice notice-warn">
          {warning}
        </p>
      ))}
      {summary !== null && (
        <>
          {summary.holdOut !== null && (
            <p className="soft">{percent(summary.holdOut.share)} of the users are in no experiment.</p>
          )}
          {summary.layers.map(({ name, unit, experiments }) => (
            <section key={name} className="section-space" aria-label={`Layer ${name}`}>
              <h3>
                Layer {name}, drawn by {unit}
              </h3>
              <Table
                caption={`Arms of the layer ${name}`}
                rows={experiments.flatMap((experiment) => experiment.arms.map((arm) => ({ experiment, arm })))}
                keyOf={({ experiment, arm }) => `${experiment.name}/${arm.name}`}
                columns={[
                  { name: 'Experiment', cell: ({ experiment }) => experiment.name },
                  {
                    name: 'Arm',
                    cell: ({ experiment, arm }) => (
                      <>
                        {arm.name} {arm.name === experiment.control && <Badge>control</Badge>}
                      </>
                    ),
                  },
                  {
                    name: 'Share',
                    isNumber: true,
                    cell: ({ arm }) => percent((arm.endBucket - arm.firstBucket) / 1_000),
                  },
                  { name: 'Changes', cell: ({ arm }) => changesOf(arm) },
                ]}
              />
            </section>
          ))}
        </>
      )}
    </Card>
  )
}

function changesOf({ params, onlySources, withoutSources, model, headFactors }: Arm): string {
  const all: string[] = []
  for (const [path, value] of Object.entries(params)) all.push(`${path} = ${JSON.stringify(value)}`)
  for (const [head, factor] of Object.entries(headFactors)) all.push(`${head} × ${factor}`)
  if (onlySources.length > 0) all.push(`only ${onlySources.join(', ')}`)
  if (withoutSources.length > 0) all.push(`without ${withoutSources.join(', ')}`)
  if (model !== '') all.push(`model ${model}`)
  return all.length === 0 ? 'none' : all.join(', ')
}

function Report({ report, hasFile }: { readonly report: ExperimentsAnswer['report']; readonly hasFile: boolean }) {
  if (report === null)
    return (
      <p className="notice">
        This console does not read the log, so it cannot compare arms. Start it with <code>FRESHET_KAFKA_BROKERS</code>.
      </p>
    )
  if (report.experiments.length === 0)
    return hasFile ? (
      <p className="notice">
        None of the newest {count(report.feeds)} feeds was part of an experiment yet. They appear here as users ask for
        feeds.
      </p>
    ) : null
  return (
    <>
      {report.experiments.map((experiment) => (
        <ReportCard key={`${experiment.layer}/${experiment.experiment}`} report={experiment} level={report.level} />
      ))}
    </>
  )
}

function ReportCard({ report, level }: { readonly report: ExperimentReport; readonly level: number }) {
  const { layer, experiment, unit, control, arms, sampleRatio, warnings } = report
  const rows = arms.flatMap(({ arm, metrics }) => metrics.map((metric) => ({ arm, ...metric })))
  const ordered = (arms[0]?.metrics ?? [])
    .map(({ metric }) => rows.filter((row) => row.metric === metric))
    .filter((group) => group.some(({ estimate }) => estimate.value !== 0))
    .flat()
  return (
    <Card
      title={experiment}
      note={`Layer ${layer}, drawn by ${unit}, control ${control}; intervals of ${percent(level)}`}
      actions={sampleRatio?.isMismatch === true ? <Badge tone="bad">sample-ratio mismatch</Badge> : undefined}
    >
      {warnings.map((warning) => (
        <p key={warning} className="notice notice-warn">
          {warning}
        </p>
      ))}
      <p className="tags section-space">
        {arms.map(({ arm, users, feeds }) => (
          <Badge key={arm}>
            {arm}: {count(users)} users, {count(feeds)} feeds
          </Badge>
        ))}
      </p>
      <Table
        caption={`Results of ${experiment}`}
        rows={ordered}
        keyOf={({ metric, arm }) => `${metric}/${arm}`}
        columns={[
          { name: 'Metric', cell: ({ metric, arm }) => (arm === control ? metric : '') },
          { name: 'Arm', cell: ({ arm }) => arm },
          { name: 'Value', isNumber: true, cell: ({ estimate }) => interval(estimate, figure) },
          {
            name: 'Against the control',
            isNumber: true,
            cell: ({ difference }) =>
              difference === null
                ? ''
                : difference.relative === null
                  ? interval(difference.absolute, figure)
                  : interval(difference.relative, percent),
          },
          { name: 'p', isNumber: true, cell: ({ difference }) => pText(difference?.p) },
          {
            name: 'Adjusted p',
            isNumber: true,
            cell: ({ adjusted }) => pText(adjusted?.p),
          },
        ]}
      />
      <JsonFold value={report} />
    </Card>
  )
}

function interval({ value, low, high }: Estimate, format: (value: number) => string): string {
  if (value === null) return '—'
  return low === null || high === null ? format(value) : `${format(value)} [${format(low)}, ${format(high)}]`
}

function pText(p: number | null | undefined): string {
  if (p === undefined || p === null) return ''
  return p < 0.001 ? '< .001' : p.toFixed(3)
}
