import { useState } from 'react'
import { useLocation, useParams } from 'wouter'
import { useConfig } from '../../api/config-context.tsx'
import { callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Card, Figure } from '../../ui/card.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState, Loaded } from '../../ui/states.tsx'
import { pictureAddress } from '../../api/picture-address.ts'
import { OperatorPage } from '../frame.tsx'
import { Bars } from '../shared/bars.tsx'
import { Counters, type Counts } from '../shared/counters.tsx'
import { count, figure, time } from '../shared/format.ts'
import { decoded } from '../shared/decoded.ts'
import { IdSearch } from '../shared/id-search.tsx'
import { JsonFold } from '../shared/json-fold.tsx'
import { useConfirmed } from '../shared/use-confirmed.ts'
import { askAllOperations } from '../shared/operations.ts'
import '../shared/shared.css'
import './pins.css'

interface PinAnswer {
  readonly pinId: string
  readonly catalogue?: Readonly<Record<string, unknown>> | null
  readonly engagements: {
    readonly firstAt: string
    readonly lastAt: string
    readonly counts: Counts
    readonly users: number
    readonly boards: readonly { readonly boardId: string; readonly saves?: number; readonly weight?: number }[]
  } | null
}

/** What the services know of a pin. */
export function PinView() {
  const { pinId } = useParams<{ pinId?: string }>()
  const [, navigate] = useLocation()
  const chosen = pinId === undefined ? null : decoded(pinId)
  return (
    <OperatorPage title="Pins" about="The catalogue entry of a pin, and what users did with it.">
      <IdSearch
        label="Pin id"
        value={chosen ?? ''}
        onSearch={(id) => {
          navigate(`/operate/pins/${encodeURIComponent(id)}`)
        }}
      />
      <div className="section-space">
        {chosen === null ? (
          <EmptyState title="Which pin?" action={<a href="/operate/users">Look at a user's last feed</a>}>
            Enter an id of your catalogue. The pins of a user's last feed lead here too.
          </EmptyState>
        ) : (
          <Pin key={chosen} pinId={chosen} />
        )}
      </div>
    </OperatorPage>
  )
}

function Pin({ pinId }: { readonly pinId: string }) {
  const services = useConfig().value?.services ?? null
  const pin = useResource(
    services === null ? null : `pin/${pinId}`,
    async (signal) =>
      together(await askAllOperations<PinAnswer>(services ?? [], `/v1/pins/${encodeURIComponent(pinId)}`, { signal })),
    { everyMs: 5_000 },
  )
  if (pin.failure?.code === 'PIN_UNKNOWN')
    return (
      <EmptyState title={`Nothing is known of ${pinId}`} action={<a href="/operate/import">Import a catalogue</a>}>
        {pin.failure.message}
      </EmptyState>
    )
  return (
    <Loaded what="This pin" resource={pin} lines={8}>
      {(value) => <Known pin={value} reload={pin.reload} />}
    </Loaded>
  )
}

/** What several services know of a pin: the catalogue entry of a ranker, the counters of a feature updater. */
function together(answers: readonly PinAnswer[]): PinAnswer {
  const [first] = answers
  const entry = answers.find(({ catalogue }) => catalogue !== undefined)
  return {
    ...first!,
    ...(entry !== undefined && { catalogue: entry.catalogue ?? null }),
    engagements: answers.find(({ engagements }) => engagements !== null)?.engagements ?? null,
  }
}

function Known({ pin, reload }: { readonly pin: PinAnswer; readonly reload: () => void }) {
  const { pinId, catalogue, engagements } = pin
  const { title, imageUrl, topics, visualEmbedding, contentEmbedding, ...rest } = catalogue ?? {}
  const embeddings = Object.entries({ visualEmbedding, contentEmbedding }).filter(([, value]) => Array.isArray(value))
  return (
    <div className="stack">
      <Card
        title={typeof title === 'string' && title !== '' ? title : pinId}
        note={<span className="mono">{pinId}</span>}
        actions={catalogue != null && <DeleteButton pinId={pinId} onDeleted={reload} />}
      >
        {catalogue == null ? (
          <p className="notice notice-warn">
            {catalogue === null
              ? 'The catalogue has no entry for this pin, or it was deleted: feeds never show it.'
              : 'No service that answers knows the catalogue. Start the console with the operations server of a ranker: --operations ranker=http://HOST:PORT'}
          </p>
        ) : (
          <div className="pin-entry">
            <PinPicture key={pinId} pinId={pinId} imageUrl={imageUrl} />
            <dl className="facts">
              {Array.isArray(topics) && topics.length > 0 && (
                <>
                  <dt>topics</dt>
                  <dd className="tags">
                    {topics.map((topic) => (
                      <Badge key={String(topic)} tone="accent">
                        {String(topic)}
                      </Badge>
                    ))}
                  </dd>
                </>
              )}
              {Object.entries(rest)
                .filter(([name, value]) => name !== 'pinId' && value !== null && value !== '' && !isEmptyList(value))
                .map(([name, value]) => (
                  <Fact key={name} name={name} value={value} />
                ))}
              {embeddings.map(([name, value]) => (
                <Fact key={name} name={name} value={`${(value as readonly number[]).length} numbers`} />
              ))}
            </dl>
          </div>
        )}
        <JsonFold value={pin} />
      </Card>
      {engagements === null ? (
        <Card title="Engagements">
          <p className="soft">Nobody has engaged with it yet.</p>
        </Card>
      ) : (
        <div className="grid-2 even">
          <Card
            title="Engagements"
            note={`${time(Date.parse(engagements.firstAt))} to ${time(Date.parse(engagements.lastAt))}`}
          >
            <div className="figures">
              <Figure name="Users, about" value={count(engagements.users)} />
              <Figure name="Boards" value={count(engagements.boards.length)} />
            </div>
            <div className="section-space">
              <Bars
                caption="Actions in all"
                bars={Object.entries(engagements.counts).map(([action, values]) => ({
                  name: action,
                  value: values['total'] ?? 0,
                  text: figure(values['total'] ?? 0),
                }))}
              />
            </div>
          </Card>
          <Card title="Counters" note="They fade with half-lives of 30 minutes, a day and 30 days.">
            <Counters counts={engagements.counts} />
          </Card>
        </div>
      )}
    </div>
  )
}

/** The picture of a pin, from the shipped catalogue where it has one; nothing if it cannot be loaded. */
function PinPicture({ pinId, imageUrl }: { readonly pinId: string; readonly imageUrl: unknown }) {
  const config = useConfig().value
  const [hasFailed, setHasFailed] = useState(false)
  if (config === null || hasFailed) return null
  const text = typeof imageUrl === 'string' ? imageUrl : ''
  const { url } = pictureAddress(pinId, text, { ...config, own: location.origin })
  if (url === null) return null
  return (
    <img
      src={url}
      alt=""
      width={180}
      onError={() => {
        setHasFailed(true)
      }}
    />
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: unknown }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {Array.isArray(value)
          ? value.map(String).join(', ')
          : typeof value === 'object'
            ? JSON.stringify(value)
            : textOf(value)}
      </dd>
    </>
  )
}

function DeleteButton({ pinId, onDeleted }: { readonly pinId: string; readonly onDeleted: () => void }) {
  const { isAsking, isBusy, ask, cancel, confirm } = useConfirmed(
    () => callJson('/api/admin/v1/pins', { body: { pins: [{ pinId, deleted: true }] } }),
    `${pinId} is deleted. Feeds no longer show it.`,
    onDeleted,
  )
  return (
    <>
      <Button size="s" look="danger" onClick={ask}>
        Delete…
      </Button>
      {isAsking && (
        <Dialog title={`Delete ${pinId}`} onClose={cancel} width="s">
          <div className="stack">
            <p>Feeds no longer show the pin. What users did with it stays. Post or import it again to bring it back.</p>
            <Button look="danger" disabled={isBusy} onClick={confirm}>
              Delete from the catalogue
            </Button>
          </div>
        </Dialog>
      )}
    </>
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
