import { useState } from 'react'
import { asFailure, callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Card } from '../../ui/card.tsx'
import { Loaded } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'
import { bytes } from '../shared/format.ts'
import { JobProgress } from './job-progress.tsx'
import { PlanForm } from './plan-form.tsx'
import { pathOf } from './send.ts'
import type { Job, Plan, Reading, SentFile } from './types.ts'

const stateWords = {
  running: { tone: 'accent', text: 'importing' },
  done: { tone: 'good', text: 'imported' },
  failed: { tone: 'bad', text: 'failed' },
  stopped: { tone: 'warn', text: 'stopped' },
} as const

/** A sent file: how it would be read, until its import begins; then how far it is, and what became of its rows. */
export function FileCard({
  file,
  canImport,
  reload,
  onRemove,
}: {
  readonly file: SentFile
  readonly canImport: boolean
  readonly reload: () => void
  readonly onRemove: () => void
}) {
  const { id, name, bytes: size, job } = file
  const [reading, setReading] = useState<Reading>({})
  const [makesPins, setMakesPins] = useState(true)
  const [isBusy, setIsBusy] = useState(false)
  const show = useToast()
  const isPlanning = job === null || (job.dryRun && job.state !== 'running')
  const key = isPlanning ? `${id}/${JSON.stringify(reading)}/${size}` : null
  const plan = useResource(key, (signal) =>
    callJson<Plan>(pathOf(id, '/plan'), { body: { reading }, signal, timeoutMs: 30_000 }),
  )
  // While a changed plan is on its way, the one before stays.
  const [lastPlan, setLastPlan] = useState<Plan | null>(null)
  if (plan.value !== null && plan.value !== lastPlan) setLastPlan(plan.value)

  const start = async (dryRun: boolean): Promise<void> => {
    setIsBusy(true)
    try {
      await callJson(pathOf(id, '/start'), { body: { reading, dryRun, makePins: makesPins } })
    } catch (thrown) {
      show({ message: asFailure(thrown).message, tone: 'bad' })
    } finally {
      setIsBusy(false)
      reload()
    }
  }

  return (
    <Card
      title={name}
      note={`${bytes(size)}${lastPlan?.format ? `, ${lastPlan.format}` : ''}${lastPlan?.details?.gzipped === true ? ', gzip' : ''}${lastPlan?.details?.encoding === 'latin1' ? ', Latin-1' : ''}`}
      actions={
        <>
          {job !== null && <StateBadge job={job} />}
          {job?.state === 'running' ? (
            <Button
              size="s"
              onClick={() => {
                void callJson(pathOf(id, '/stop'), { body: {} }).finally(reload)
              }}
            >
              Stop
            </Button>
          ) : (
            <Button size="s" look="quiet" onClick={onRemove}>
              Remove
            </Button>
          )}
        </>
      }
    >
      {job !== null && <JobProgress job={job} />}
      {isPlanning && (
        <Loaded what="How this file is read" resource={{ ...plan, value: plan.value ?? lastPlan }} lines={5}>
          {(value) => (
            <PlanForm
              plan={value}
              reading={reading}
              onChange={setReading}
              makesPins={makesPins}
              onMakesPins={setMakesPins}
              actions={
                <>
                  <Button disabled={isBusy || value.problem !== null} onClick={() => void start(true)}>
                    Check all rows
                  </Button>
                  <Button
                    look="solid"
                    disabled={isBusy || value.problem !== null || !canImport}
                    onClick={() => void start(false)}
                  >
                    Import
                  </Button>
                </>
              }
            />
          )}
        </Loaded>
      )}
    </Card>
  )
}

function StateBadge({ job: { state, dryRun } }: { readonly job: Job }) {
  const { tone, text } = stateWords[state]
  const checked = state === 'running' ? 'checking' : state === 'done' ? 'checked' : text
  return <Badge tone={tone}>{dryRun ? checked : text}</Badge>
}
