import { useState } from 'react'
import { useLocation, useParams } from 'wouter'
import { useConfig } from '../../api/config-context.tsx'
import { asFailure, callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Card, Figure } from '../../ui/card.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { EmptyState, ErrorState, Loaded } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { OperatorPage } from '../frame.tsx'
import { count, figure, percent, time } from '../shared/format.ts'
import { Counters, type Counts } from '../shared/counters.tsx'
import { decoded } from '../shared/decoded.ts'
import { IdSearch } from '../shared/id-search.tsx'
import { JsonFold } from '../shared/json-fold.tsx'
import { useConfirmed } from '../shared/use-confirmed.ts'
import { askOperations } from '../shared/operations.ts'
import { saveAs } from '../shared/save-as.ts'
import '../shared/shared.css'

interface UserState {
  readonly userId: string
  readonly firstAt: string
  readonly lastAt: string
  readonly counts: Counts
  readonly relations: Readonly<Record<string, readonly { readonly id: string; readonly since: string }[]>>
  readonly olderRelations: Readonly<Record<string, number>>
  readonly boards: readonly {
    readonly boardId: string
    readonly title?: string
    readonly weight: number
    readonly at: string
  }[]
  readonly recentActions: readonly Readonly<Record<string, unknown>>[]
  readonly recentActionsKept: number
  readonly seen: { readonly pinsWithTime: number; readonly olderPins: number }
  readonly sessions: { readonly count: number }
}

interface ServedFeed {
  readonly feedId: string
  readonly at: string
  readonly surface: string
  readonly degradation: string
  readonly modelVersion: string
  readonly pins: readonly {
    readonly pinId: string
    readonly position: number
    readonly utility: number
    readonly sources: readonly string[]
    readonly probabilities: Readonly<Record<string, number>>
  }[]
}

/** What the services know of a user. */
export function UserView() {
  const { userId } = useParams<{ userId?: string }>()
  const config = useConfig().value
  const [, navigate] = useLocation()
  const go = (id: string): void => {
    navigate(`/operate/users/${encodeURIComponent(id)}`)
  }
  const chosen = userId === undefined ? null : decoded(userId)
  return (
    <OperatorPage
      title="Users"
      about="What the services know of a user, what they served, and how to hand it out or erase it."
    >
      <IdSearch key={chosen} label="User id" value={chosen ?? ''} onSearch={go} />
      {(config?.users.length ?? 0) > 0 && (
        <div className="tags section-space" role="group" aria-label="Simulated users">
          {config?.users.map(({ userId: id, name }) => (
            <Button
              key={id}
              size="s"
              look={id === chosen ? 'solid' : 'plain'}
              onClick={() => {
                go(id)
              }}
            >
              {name}
            </Button>
          ))}
        </div>
      )}
      <div className="section-space">
        {chosen === null ? (
          <EmptyState title="Which user?">
            Enter an id as your application sends it{config?.demo === true && ', or choose a simulated user above'}.
          </EmptyState>
        ) : (
          <User key={chosen} userId={chosen} />
        )}
      </div>
    </OperatorPage>
  )
}

function User({ userId }: { readonly userId: string }) {
  const services = useConfig().value?.services ?? null
  const path = `/v1/users/${encodeURIComponent(userId)}`
  const ask = <T,>(rest: string, signal: AbortSignal) =>
    askOperations<T>(services ?? [], `${path}${rest}`, { signal, timeoutMs: 35_000 })
  const state = useResource(
    services === null ? null : `state/${userId}`,
    (signal) => ask<UserState>('/state', signal),
    { everyMs: 5_000 },
  )
  const feed = useResource(
    services === null ? null : `feed/${userId}`,
    (signal) => ask<ServedFeed>('/feeds/last', signal),
    { everyMs: 10_000 },
  )
  const isUnknown = state.failure?.code === 'USER_UNKNOWN'
  const isErased = state.failure?.code === 'USER_ERASED'
  return (
    <div className="stack">
      {isErased ? (
        <EmptyState title={`${userId} was erased`}>{state.failure?.message}</EmptyState>
      ) : isUnknown ? (
        <EmptyState title={`Nothing is known of ${userId}`} action={<a href="/operate/import">Import history</a>}>
          The user has done nothing yet, or the id is another one. Ids are compared letter by letter.
        </EmptyState>
      ) : (
        <Loaded what="The state of this user" resource={state} lines={8}>
          {(value) => <State state={value} reload={state.reload} />}
        </Loaded>
      )}
      {feed.failure !== null && feed.value === null ? (
        feed.failure.code === 'FEED_MISSING' || feed.failure.code === 'USER_ERASED' ? (
          <Card title="Last feed">
            <p className="soft">No feed of this user is recorded. Records are kept for 30 days.</p>
          </Card>
        ) : (
          <ErrorState what="The last feed" failure={feed.failure} retry={feed.reload} />
        )
      ) : (
        <Loaded what="The last feed" resource={feed}>
          {(value) => <LastFeed feed={value} />}
        </Loaded>
      )}
    </div>
  )
}

function State({ state, reload }: { readonly state: UserState; readonly reload: () => void }) {
  const {
    userId,
    firstAt,
    lastAt,
    counts,
    relations,
    olderRelations,
    boards,
    recentActions,
    recentActionsKept,
    seen,
    sessions,
  } = state
  return (
    <>
      <Card
        title={userId}
        note={`Known since ${time(Date.parse(firstAt))}`}
        actions={
          <>
            <ExportButton userId={userId} />
            <EraseButton userId={userId} onErased={reload} />
          </>
        }
      >
        <div className="figures">
          <Figure name="Last action" value={<span className="figure-time">{time(Date.parse(lastAt))}</span>} />
          <Figure name="Sessions" value={count(sessions.count)} />
          <Figure name="Pins seen" value={count(seen.pinsWithTime + seen.olderPins)} />
          <Figure name="Actions kept" value={count(recentActionsKept)} />
          <Figure name="Boards" value={count(boards.length)} />
        </div>
        <JsonFold value={state} />
      </Card>
      <div className="grid-2 even">
        <Card title="Actions" note="Counters that fade with half-lives of 30 minutes, a day and 30 days, and in all.">
          <Counters counts={counts} />
        </Card>
        <Card title="Relations" note="What the user follows, saved, hid or blocked.">
          {Object.keys(relations).length === 0 ? (
            <p className="soft">None.</p>
          ) : (
            <dl className="facts">
              {Object.entries(relations).map(([kind, ids]) => (
                <Relation key={kind} kind={kind} ids={ids.map(({ id }) => id)} older={olderRelations[kind] ?? 0} />
              ))}
            </dl>
          )}
          {boards.length > 0 && (
            <>
              <h3 className="section-space">Boards</h3>
              <p className="tags">
                {boards.slice(0, 30).map(({ boardId, title = boardId, weight }) => (
                  <Badge key={boardId}>
                    {title} {figure(weight)}
                  </Badge>
                ))}
              </p>
            </>
          )}
        </Card>
      </div>
      <Card title="Recent actions" note={`The newest ${recentActions.length} of ${count(recentActionsKept)} kept.`}>
        {recentActions.length === 0 ? (
          <p className="soft">None.</p>
        ) : (
          <div className="scroll-y">
            <Table
              caption="Recent actions"
              rows={recentActions}
              keyOf={(_, at) => String(at)}
              columns={[
                { name: 'When', cell: (action) => time(Date.parse(String(action['at']))) },
                { name: 'Action', cell: (action) => (typeof action['action'] === 'string' ? action['action'] : '') },
                {
                  name: 'Pin',
                  cell: ({ pinId }) =>
                    typeof pinId === 'string' ? <a href={`/operate/pins/${encodeURIComponent(pinId)}`}>{pinId}</a> : '',
                },
                {
                  name: 'More',
                  cell: ({ at: _at, action: _action, pinId: _pin, ...rest }) =>
                    Object.entries(rest)
                      .map(([name, value]) => `${name} ${typeof value === 'number' ? figure(value) : String(value)}`)
                      .join(', '),
                },
              ]}
            />
          </div>
        )}
      </Card>
    </>
  )
}

const shownIds = 24

function Relation({
  kind,
  ids,
  older,
}: {
  readonly kind: string
  readonly ids: readonly string[]
  readonly older: number
}) {
  return (
    <>
      <dt>
        {kind} ({count(ids.length + older)})
      </dt>
      <dd className="tags">
        {ids.slice(0, shownIds).map((id) => (
          <Badge key={id}>{id}</Badge>
        ))}
        {ids.length + older > shownIds && <span className="soft">and {count(ids.length + older - shownIds)} more</span>}
      </dd>
    </>
  )
}

function LastFeed({ feed }: { readonly feed: ServedFeed }) {
  const { feedId, at, surface, degradation, modelVersion, pins } = feed
  const heads = [...new Set(pins.flatMap(({ probabilities }) => Object.keys(probabilities)))].slice(0, 4)
  return (
    <Card
      title="Last feed"
      note={
        <>
          <span className="mono">{feedId}</span>, {surface}, {time(Date.parse(at))}
          {modelVersion !== '' && `, model ${modelVersion}`}
        </>
      }
      actions={
        <Badge tone={degradation === 'NONE' ? 'good' : 'warn'}>{degradation === 'NONE' ? 'full' : degradation}</Badge>
      }
    >
      <div className="scroll-y">
        <Table
          caption="Pins of the last feed"
          rows={pins}
          keyOf={({ pinId }) => pinId}
          columns={[
            { name: '#', isNumber: true, cell: ({ position }) => position },
            { name: 'Pin', cell: ({ pinId }) => <a href={`/operate/pins/${encodeURIComponent(pinId)}`}>{pinId}</a> },
            { name: 'Sources', cell: ({ sources }) => sources.join(', ') },
            { name: 'Utility', isNumber: true, cell: ({ utility }) => figure(utility) },
            ...heads.map((head) => ({
              name: head,
              isNumber: true,
              cell: ({ probabilities }: ServedFeed['pins'][number]) =>
                probabilities[head] === undefined ? '—' : percent(probabilities[head]),
            })),
          ]}
        />
      </div>
      <JsonFold value={feed} />
    </Card>
  )
}

function ExportButton({ userId }: { readonly userId: string }) {
  const services = useConfig().value?.services ?? []
  const show = useToast()
  const [isBusy, setIsBusy] = useState(false)
  return (
    <Button
      size="s"
      disabled={isBusy}
      onClick={() => {
        setIsBusy(true)
        askOperations(services, `/v1/users/${encodeURIComponent(userId)}/export`, { timeoutMs: 35_000 })
          .then(
            (held) => {
              saveAs(`${userId}.json`, JSON.stringify(held, null, 2))
            },
            (thrown: unknown) => {
              show({ message: asFailure(thrown).message, tone: 'bad' })
            },
          )
          .finally(() => {
            setIsBusy(false)
          })
      }}
    >
      {isBusy ? 'Exporting…' : 'Export'}
    </Button>
  )
}

function EraseButton({ userId, onErased }: { readonly userId: string; readonly onErased: () => void }) {
  const [typed, setTyped] = useState('')
  const { isAsking, isBusy, ask, cancel, confirm } = useConfirmed(
    () => callJson(`/api/admin/v1/users/${encodeURIComponent(userId)}`, { method: 'DELETE' }),
    `${userId} is erased. The services forget within a second.`,
    onErased,
  )
  return (
    <>
      <Button size="s" look="danger" onClick={ask}>
        Erase…
      </Button>
      {isAsking && (
        <Dialog title={`Erase ${userId}`} onClose={cancel} width="s">
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault()
              if (typed === userId) confirm()
            }}
          >
            <p>
              This removes the user and everything the user did until now, from state, features and future replays. It
              cannot be undone. Export first if somebody may ask for the data.
            </p>
            <TextField
              label={`Type ${userId} to confirm`}
              value={typed}
              autoComplete="off"
              onChange={(event) => {
                setTyped(event.target.value)
              }}
            />
            <Button type="submit" look="danger" disabled={typed !== userId || isBusy}>
              Erase permanently
            </Button>
          </form>
        </Dialog>
      )}
    </>
  )
}
