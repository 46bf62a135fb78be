import { useState } from 'react'
import { useConfig } from '../../api/config-context.tsx'
import { asFailure } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Card, Figure } from '../../ui/card.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField } from '../../ui/field.tsx'
import { EmptyState, Loaded } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'
import { OperatorPage } from '../frame.tsx'
import { Chart } from '../shared/chart.tsx'
import { count, duration, figure, percent, time } from '../shared/format.ts'
import { JsonFold } from '../shared/json-fold.tsx'
import { askModels } from '../shared/operations.ts'
import { headsOf, metricsOverTime, type ModelJson, type ModelsAnswer } from './history.ts'
import '../shared/shared.css'
import './models.css'

const toneOf = {
  serving: 'good',
  canary: 'accent',
  shadow: 'accent',
  candidate: 'plain',
  retired: 'plain',
  rejected: 'bad',
} as const

/** Models with their stage, the decisions of the gate, metrics over time, and what changes which one serves. */
export function ModelsView() {
  const services = useConfig().value?.services ?? null
  const models = useResource(
    services === null ? null : 'models',
    (signal) => askModels<ModelsAnswer>(services ?? [], '/models', { signal, timeoutMs: 35_000 }),
    { everyMs: 15_000 },
  )
  return (
    <OperatorPage
      title="Models"
      about="Each trained model, what the gate decided about it and why, and how well it predicts what users do."
    >
      <Loaded what="The models" resource={models} lines={8}>
        {({ surfaces }) =>
          surfaces.length === 0 || surfaces.every((surface) => surface.models.length === 0) ? (
            <EmptyState title="No model was trained yet" action={<a href="/operate/import">Import history</a>}>
              The trainer learns a model when enough served feeds have actions. Until then the built-in weights rank.
              Use the feed, or import history.
            </EmptyState>
          ) : (
            <div className="stack">
              {surfaces.map((surface) => (
                <Surface key={surface.surface} {...surface} reload={models.reload} />
              ))}
            </div>
          )
        }
      </Loaded>
    </OperatorPage>
  )
}

function Surface({
  surface,
  serving,
  models,
  reload,
}: ModelsAnswer['surfaces'][number] & { readonly reload: () => void }) {
  const [metric, setMetric] = useState<'logLoss' | 'auc' | 'calibration'>('logLoss')
  const { names, heads, series } = metricsOverTime(models, metric)
  const newestFirst = models.toReversed()
  return (
    <>
      <Card
        title={`Surface “${surface}”`}
        note={`${serving} serves`}
        actions={
          <RollBack
            surface={surface}
            serving={serving}
            canRollBack={models.some(({ stage }) => stage === 'retired')}
            reload={reload}
          />
        }
      >
        <div className="figures">
          <Figure name="Models" value={count(models.length)} />
          <Figure
            name="Rejected by the gate"
            value={count(models.filter(({ stage }) => stage === 'rejected').length)}
          />
          <Figure
            name="Rows of the newest"
            value={count(newestFirst[0]?.trainingRows ?? 0)}
            note={newestFirst[0] === undefined ? '' : `${duration(newestFirst[0].ageMs)} old`}
          />
        </div>
      </Card>
      <Card
        title="Metrics over time"
        note="On rows that the training did not see, by the head that predicts an action."
        actions={
          <SelectField
            label="Metric"
            value={metric}
            onChange={(event) => {
              setMetric(event.target.value as typeof metric)
            }}
          >
            <option value="logLoss">Log loss (lower is better)</option>
            <option value="auc">AUC (higher is better)</option>
            <option value="calibration">Calibration (1 is right)</option>
          </SelectField>
        }
      >
        {names.length === 0 ? (
          <p className="soft">No model has results of this kind.</p>
        ) : (
          <>
            <Chart
              label={`${metric} of the heads ${heads.join(', ')} over ${names.length} models`}
              x={names.map((_, at) => at)}
              xNames={names}
              lines={heads.map((head, at) => ({ name: head, values: series[at] ?? [] }))}
              format={figure}
              fromZero={false}
              points
            />
            {names.length === 1 && <p className="soft">One model so far: the lines grow with each training.</p>}
          </>
        )}
      </Card>
      {newestFirst.map((model) => (
        <Model key={model.version} model={model} serving={serving} reload={reload} />
      ))}
    </>
  )
}

function Model({
  model,
  serving,
  reload,
}: {
  readonly model: ModelJson
  readonly serving: string
  readonly reload: () => void
}) {
  const { version, stage, share, reason, at, trainedAt, trainingRows, planHash, parentVersion } = model
  const [isAsking, setIsAsking] = useState(false)
  const heads = headsOf(model)
  const canServe = stage !== 'rejected' && version !== serving
  return (
    <Card
      title={version}
      note={reason}
      actions={
        <>
          <Badge tone={toneOf[stage]}>
            {stage}
            {share > 0 && ` ${percent(share)}`}
          </Badge>
          {canServe && (
            <Button
              size="s"
              onClick={() => {
                setIsAsking(true)
              }}
            >
              Promote…
            </Button>
          )}
        </>
      }
    >
      <dl className="facts">
        <dt>Trained</dt>
        <dd>{time(Date.parse(trainedAt))}</dd>
        <dt>In this stage since</dt>
        <dd>{time(Date.parse(at))}</dd>
        <dt>Training rows</dt>
        <dd>{count(trainingRows)}</dd>
        <dt>Plan</dt>
        <dd className="mono">{planHash}</dd>
        {parentVersion !== null && (
          <>
            <dt>Learned on from</dt>
            <dd className="mono">{parentVersion}</dd>
          </>
        )}
      </dl>
      {heads.length > 0 && (
        <div className="table-frame section-space" role="region" aria-label={`Results of ${version}`} tabIndex={0}>
          <table className="table">
            <caption className="hidden-words">Results of {version}</caption>
            <thead>
              <tr>
                <th scope="col">Head</th>
                <th scope="col" className="number">
                  Log loss
                </th>
                <th scope="col" className="number">
                  That served
                </th>
                <th scope="col">Gate</th>
                <th scope="col" className="number">
                  AUC
                </th>
                <th scope="col" className="number">
                  Calibration
                </th>
              </tr>
            </thead>
            <tbody>
              {heads.map(({ head, logLoss, servingLogLoss, auc, calibration }) => (
                <tr key={head}>
                  <th scope="row">{head}</th>
                  <td className="number">{figure(logLoss)}</td>
                  <td className="number">{servingLogLoss === null ? '—' : figure(servingLogLoss)}</td>
                  <td>
                    <GateBadge logLoss={logLoss} servingLogLoss={servingLogLoss} />
                  </td>
                  <td className="number">{auc === null ? '—' : figure(auc)}</td>
                  <td className="number">{calibration === null ? '—' : `× ${figure(calibration)}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <JsonFold value={model} name="Raw JSON with deciles" />
      {isAsking && (
        <Promote
          model={model}
          onClose={() => {
            setIsAsking(false)
          }}
          reload={reload}
        />
      )}
    </Card>
  )
}

function GateBadge({ logLoss, servingLogLoss }: { readonly logLoss: number; readonly servingLogLoss: number | null }) {
  if (servingLogLoss === null) return <Badge>nothing to compare</Badge>
  const change = servingLogLoss === 0 ? 0 : (logLoss - servingLogLoss) / servingLogLoss
  if (Math.abs(change) < 0.0005) return <Badge>the same</Badge>
  return change < 0 ? (
    <Badge tone="good">{percent(-change)} better</Badge>
  ) : (
    <Badge tone="warn">{percent(change)} worse</Badge>
  )
}

function Promote({
  model: { surface, version },
  onClose,
  reload,
}: {
  readonly model: ModelJson
  readonly onClose: () => void
  readonly reload: () => void
}) {
  const [to, setTo] = useState('')
  const { change, isBusy } = useChange(reload, onClose)
  return (
    <Dialog title={`Promote ${version}`} onClose={onClose} width="s">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          const query = new URLSearchParams({
            surface,
            ...promotionOf(to),
          }).toString()
          void change(`/models/${encodeURIComponent(version)}/promotion?${query}`, `${version} is promoted.`)
        }}
      >
        <SelectField
          label="To whom"
          value={to}
          onChange={(event) => {
            setTo(event.target.value)
          }}
        >
          <option value="">All users: it serves</option>
          <option value="share=0.5">Half of the users (canary)</option>
          <option value="share=0.1">A tenth of the users (canary)</option>
          <option value="shadow=1">Nobody: it scores every request unseen (shadow)</option>
          <option value="shadow=0.1">Nobody: it scores a tenth of the requests unseen (shadow)</option>
        </SelectField>
        <p className="soft">The rankers take it within a second. Roll back undoes it.</p>
        <Button type="submit" look="solid" disabled={isBusy}>
          Promote
        </Button>
      </form>
    </Dialog>
  )
}

/** `share=0.1` as a parameter; empty: none, which means all users. */
function promotionOf(to: string): Readonly<Record<string, string>> {
  const [name, share] = to.split('=')
  return name === undefined || share === undefined ? {} : { [name]: share }
}

function RollBack({
  surface,
  serving,
  canRollBack,
  reload,
}: {
  readonly surface: string
  readonly serving: string
  readonly canRollBack: boolean
  readonly reload: () => void
}) {
  const [isAsking, setIsAsking] = useState(false)
  const close = (): void => {
    setIsAsking(false)
  }
  const { change, isBusy } = useChange(reload, close)
  return (
    <>
      <Button
        size="s"
        disabled={!canRollBack}
        title={canRollBack ? undefined : 'No earlier model has served'}
        onClick={() => {
          setIsAsking(true)
        }}
      >
        Roll back…
      </Button>
      {isAsking && (
        <Dialog title="Roll back" onClose={close} width="s">
          <div className="stack">
            <p>
              The model that served before {serving} serves all users of “{surface}” again. {serving} is retired and can
              be promoted later.
            </p>
            <Button
              look="danger"
              disabled={isBusy}
              onClick={() => {
                void change(
                  `/models/roll-back?surface=${encodeURIComponent(surface)}`,
                  'The model before serves again.',
                )
              }}
            >
              Roll back
            </Button>
          </div>
        </Dialog>
      )}
    </>
  )
}

function useChange(reload: () => void, close: () => void) {
  const services = useConfig().value?.services ?? []
  const show = useToast()
  const [isBusy, setIsBusy] = useState(false)
  const change = async (path: string, done: string): Promise<void> => {
    setIsBusy(true)
    try {
      await askModels(services, path, { method: 'PUT' })
      show({ message: done })
      reload()
      close()
    } catch (thrown) {
      show({ message: asFailure(thrown).message, tone: 'bad' })
    } finally {
      setIsBusy(false)
    }
  }
  return { change, isBusy }
}
