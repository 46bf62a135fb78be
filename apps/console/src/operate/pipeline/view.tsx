import { useState } from 'react'
import { useConfig } from '../../api/config-context.tsx'
import { callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button } from '../../ui/button.tsx'
import { Card } from '../../ui/card.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { EmptyState, Loaded } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'
import { count, time } from '../shared/format.ts'
import { Switch } from '../shared/switch.tsx'
import '../shared/shared.css'
import { Flow } from './flow.tsx'
import type { StageFlow } from './layout.ts'
import './pipeline.css'

interface PipelineAnswer {
  readonly recent: {
    readonly feeds: number
    readonly fromMs: number | null
    readonly toMs: number | null
    readonly kinds: readonly { readonly kind: string; readonly feeds: number; readonly stages: readonly StageFlow[] }[]
    readonly users: readonly string[]
  } | null
  readonly metered: readonly {
    readonly pipeline: string
    readonly runs: number
    readonly stages: readonly StageFlow[]
  }[]
}

interface FeedAnswer {
  readonly feedId: string
  readonly userId: string
  readonly atMs: number
  readonly pins: number
  readonly stages: readonly StageFlow[]
}

type Which = 'recent' | 'feed' | 'metered'

/** The stages that turn candidates into a page, with what goes in and out. */
export function PipelineView() {
  const [which, setWhich] = useState<Which>('recent')
  const average = useResource(
    'pipeline',
    (signal) => callJson<PipelineAnswer>('/api/console/operate/pipeline', { signal, timeoutMs: 35_000 }),
    {
      everyMs: 10_000,
    },
  )
  return (
    <OperatorPage
      title="Pipeline"
      about="How a request becomes a page: each stage with the candidates that leave it, what it takes out and why, and its time."
    >
      <div className="row section-space">
        <Switch<Which>
          label="Which feeds"
          value={which}
          onChange={setWhich}
          options={[
            { value: 'recent', name: 'Newest feeds' },
            { value: 'feed', name: 'One feed' },
            { value: 'metered', name: 'Since the start' },
          ]}
        />
      </div>
      <div className="section-space">
        <Loaded what="The pipeline" resource={average} lines={8}>
          {(answer) =>
            which === 'recent' ? (
              <Recent recent={answer.recent} />
            ) : which === 'feed' ? (
              <OneFeed users={answer.recent?.users ?? []} />
            ) : (
              <Metered metered={answer.metered} />
            )
          }
        </Loaded>
      </div>
    </OperatorPage>
  )
}

function Recent({ recent }: { readonly recent: PipelineAnswer['recent'] }) {
  const [name, setName] = useState('')
  if (recent === null)
    return (
      <EmptyState title="This console does not reach the log">
        Start it with the address of Kafka (--brokers) to see the newest feeds. “Since the start” works without.
      </EmptyState>
    )
  if (recent.feeds === 0)
    return (
      <EmptyState title="No feed was served yet" action={<a href="/">Open the feed</a>}>
        Each served feed leaves a record of its stages. Ask for one, and its pipeline appears here.
      </EmptyState>
    )
  const chosen = recent.kinds.find(({ kind }) => kind === name) ?? recent.kinds[0]!
  return (
    <div className="stack">
      {recent.kinds.length > 1 && (
        <div className="row">
          <SelectField
            label="Kind of request"
            value={chosen.kind}
            onChange={(event) => {
              setName(event.target.value)
            }}
          >
            {recent.kinds.map(({ kind, feeds }) => (
              <option key={kind} value={kind}>
                {kind} ({count(feeds)})
              </option>
            ))}
          </SelectField>
        </div>
      )}
      <Flow
        title={`Mean of ${count(chosen.feeds)} ${chosen.feeds === 1 ? 'feed' : 'feeds'}: ${chosen.kind}`}
        note={`Of the newest ${count(recent.feeds)}, ${time(recent.fromMs ?? 0)} to ${time(recent.toMs ?? 0)}, from their records in the log`}
        stages={chosen.stages}
      />
    </div>
  )
}

function OneFeed({ users }: { readonly users: readonly string[] }) {
  const config = useConfig().value
  const known = [...new Set([...users, ...(config?.users.map(({ userId }) => userId) ?? [])])]
  const [userId, setUserId] = useState('')
  const [asked, setAsked] = useState({ userId: known[0] ?? '', feedId: '' })
  const [feedId, setFeedId] = useState('')
  const query = new URLSearchParams({
    user: asked.userId,
    ...(asked.feedId !== '' && { feed: asked.feedId }),
  }).toString()
  const feed = useResource(asked.userId === '' ? null : query, (signal) =>
    callJson<FeedAnswer>(`/api/console/operate/pipeline/feed?${query}`, { signal, timeoutMs: 35_000 }),
  )
  return (
    <div className="stack">
      <Card title="Which feed" note="The last feed of a user, or one by its id. Records are kept for 30 days.">
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault()
            setAsked({ userId: userId === '' ? asked.userId : userId, feedId })
            feed.reload()
          }}
        >
          {known.length > 0 && (
            <SelectField
              label="Recent users"
              value={known.includes(userId) ? userId : userId === '' ? asked.userId : ''}
              onChange={(event) => {
                setUserId(event.target.value)
                setFeedId('')
                setAsked({ userId: event.target.value, feedId: '' })
              }}
            >
              {known.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </SelectField>
          )}
          <TextField
            label="Another user id"
            value={userId}
            placeholder={asked.userId}
            onChange={(event) => {
              setUserId(event.target.value)
            }}
          />
          <TextField
            label="Feed id (empty: the last)"
            value={feedId}
            onChange={(event) => {
              setFeedId(event.target.value)
            }}
          />
          <Button type="submit" look="solid">
            Show
          </Button>
        </form>
      </Card>
      {asked.userId === '' ? (
        <EmptyState title="Whose feed?">Enter the id of a user who has asked for a feed.</EmptyState>
      ) : (
        <Loaded what="This feed" resource={feed} lines={8}>
          {({ feedId: id, userId: user, atMs, pins, stages }) => (
            <Flow title={`Feed of ${user}`} note={`${id}, ${time(atMs)}, ${count(pins)} pins`} stages={stages} />
          )}
        </Loaded>
      )}
    </div>
  )
}

function Metered({ metered }: { readonly metered: PipelineAnswer['metered'] }) {
  const [name, setName] = useState('')
  const pipeline = metered.find((each) => each.pipeline === name) ?? metered.toSorted((a, b) => b.runs - a.runs)[0]
  if (pipeline === undefined)
    return (
      <EmptyState title="No metrics yet" action={<a href="/">Open the feed</a>}>
        No blender has answered a feed since its start, or none can be reached. System shows which services are there.
      </EmptyState>
    )
  return (
    <div className="stack">
      {metered.length > 1 && (
        <div className="row">
          <SelectField
            label="Pipeline"
            value={pipeline.pipeline}
            onChange={(event) => {
              setName(event.target.value)
            }}
          >
            {metered.map((each) => (
              <option key={each.pipeline} value={each.pipeline}>
                {each.pipeline} ({count(each.runs)} runs)
              </option>
            ))}
          </SelectField>
        </div>
      )}
      <Flow
        title={`Mean of ${count(pipeline.runs)} runs of “${pipeline.pipeline}”`}
        note="By the metrics of the blenders since their start. Only stages that call another service have a time."
        stages={pipeline.stages}
      />
    </div>
  )
}
