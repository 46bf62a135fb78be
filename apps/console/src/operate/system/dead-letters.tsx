import { useState } from 'react'
import { asFailure, callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Card } from '../../ui/card.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { Loaded } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { count, plural, time } from '../shared/format.ts'

interface Letter {
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly sourceTopic: string
  readonly sourcePartition: number
  readonly sourcePosition: number
  readonly key: string
  readonly code: string
  readonly message: string
  readonly atMs: number
  readonly valueBytes: number
}

interface LettersAnswer {
  readonly matched: number
  readonly byCode: Readonly<Record<string, number>>
  readonly letters: readonly Letter[]
}

interface ReplayAnswer {
  readonly matched: number
  readonly replayed: number
  readonly stillBad: number
  readonly examples: readonly string[]
}

const at = '/api/console/operate/dead-letters'

/** Records that were not applied: lists them, shows one, applies them again. */
export function DeadLetters() {
  const [code, setCode] = useState('')
  const [key, setKey] = useState('')
  const [shown, setShown] = useState<Letter | null>(null)
  const [isReplaying, setIsReplaying] = useState(false)
  const filter = { ...(code !== '' && { code }), ...(key !== '' && { key }) }
  const query = new URLSearchParams(filter).toString()
  const letters = useResource(
    `dead-letters/${query}`,
    (signal) => callJson<LettersAnswer>(`${at}?${query}`, { signal, timeoutMs: 35_000 }),
    { everyMs: 10_000 },
  )
  return (
    <Card title="Dead letters" note="Records that could not be applied. They stay until they are replayed or expire.">
      <Loaded what="The dead letters" resource={letters}>
        {({ matched, byCode, letters: list }) => (
          <div className="stack">
            {matched === 0 && code === '' && key === '' ? (
              <p className="soft">None: every accepted event was applied.</p>
            ) : (
              <>
                <div className="row">
                  <SelectField
                    label="Code"
                    value={code}
                    onChange={(event) => {
                      setCode(event.target.value)
                    }}
                  >
                    <option value="">all</option>
                    {[...new Set([...Object.keys(byCode), ...(code === '' ? [] : [code])])].map((each) => (
                      <option key={each} value={each}>
                        {each} ({count(byCode[each] ?? 0)})
                      </option>
                    ))}
                  </SelectField>
                  <TextField
                    label="Key (user or pin)"
                    defaultValue={key}
                    onBlur={(event) => {
                      setKey(event.target.value.trim())
                    }}
                    onKeyDown={(event) => {
                      if (event.key === 'Enter') setKey(event.currentTarget.value.trim())
                    }}
                  />
                  <Button
                    disabled={matched === 0}
                    onClick={() => {
                      setIsReplaying(true)
                    }}
                  >
                    Replay {plural(matched, 'record')}…
                  </Button>
                </div>
                <Table
                  caption="Dead letters, the newest first"
                  rows={list}
                  keyOf={({ topic, partition, position }) => `${topic}/${partition}/${position}`}
                  columns={[
                    { name: 'When', cell: ({ atMs }) => time(atMs) },
                    {
                      name: 'From',
                      cell: ({ sourceTopic, sourcePartition, sourcePosition }) => (
                        <span className="mono">
                          {sourceTopic}/{sourcePartition}@{sourcePosition}
                        </span>
                      ),
                    },
                    { name: 'Key', cell: (letter) => letter.key },
                    { name: 'Code', cell: (letter) => <Badge tone="bad">{letter.code}</Badge> },
                    { name: 'Why', cell: ({ message }) => message },
                    {
                      name: 'Details',
                      cell: (letter) => (
                        <Button
                          size="s"
                          onClick={() => {
                            setShown(letter)
                          }}
                        >
                          Show
                        </Button>
                      ),
                    },
                  ]}
                />
                {list.length < matched && (
                  <p className="soft">
                    The newest {count(list.length)} of {count(matched)}.
                  </p>
                )}
              </>
            )}
          </div>
        )}
      </Loaded>
      {shown !== null && (
        <LetterDialog
          letter={shown}
          onClose={() => {
            setShown(null)
          }}
        />
      )}
      {isReplaying && (
        <ReplayDialog
          filter={filter}
          onClose={() => {
            setIsReplaying(false)
            letters.reload()
          }}
        />
      )}
    </Card>
  )
}

function LetterDialog({ letter, onClose }: { readonly letter: Letter; readonly onClose: () => void }) {
  const { topic, partition, position, code, message } = letter
  const path = `${at}/${encodeURIComponent(topic)}/${partition}/${position}`
  const details = useResource(path, (signal) =>
    callJson<{ readonly decoded: string; readonly base64: string }>(path, { signal, timeoutMs: 35_000 }),
  )
  return (
    <Dialog title={`${code} at ${partition}/${position}`} onClose={onClose} width="l">
      <div className="stack">
        <p>{message}</p>
        <Loaded what="This record" resource={details}>
          {({ decoded, base64 }) => (
            <>
              <h3>As this version reads it</h3>
              <pre className="code" tabIndex={0}>
                {pretty(decoded)}
              </pre>
              <h3>Bytes, base64</h3>
              <pre className="code" tabIndex={0}>
                {base64}
              </pre>
            </>
          )}
        </Loaded>
      </div>
    </Dialog>
  )
}

function ReplayDialog({
  filter,
  onClose,
}: {
  readonly filter: { readonly code?: string; readonly key?: string }
  readonly onClose: () => void
}) {
  const show = useToast()
  const [isBusy, setIsBusy] = useState(false)
  const dry = useResource(`replay/${JSON.stringify(filter)}`, (signal) =>
    callJson<ReplayAnswer>(`${at}/replay`, { body: { ...filter, dryRun: true }, signal, timeoutMs: 35_000 }),
  )
  const replay = async (): Promise<void> => {
    setIsBusy(true)
    try {
      const { replayed } = await callJson<ReplayAnswer>(`${at}/replay`, {
        body: { ...filter, dryRun: false },
        timeoutMs: 60_000,
      })
      show({ message: `${plural(replayed, 'record')} went to their topics again.` })
      onClose()
    } catch (thrown) {
      show({ message: asFailure(thrown).message, tone: 'bad' })
      setIsBusy(false)
    }
  }
  return (
    <Dialog title="Replay dead letters" onClose={onClose} width="s">
      <Loaded what="What a replay would do" resource={dry}>
        {({ matched, stillBad, examples }) => (
          <div className="stack">
            <p>
              {count(matched - stillBad)} of {plural(matched, 'record')} can be applied now. A second replay changes
              nothing. The records stay in the list until they expire.
            </p>
            {stillBad > 0 && (
              <div className="notice notice-warn">
                {plural(stillBad, 'record')} still cannot be read:
                <ul>
                  {examples.map((example) => (
                    <li key={example} className="mono">
                      {example}
                    </li>
                  ))}
                </ul>
              </div>
            )}
            <Button look="solid" disabled={isBusy || matched === stillBad} onClick={() => void replay()}>
              {isBusy ? 'Replaying…' : 'Replay'}
            </Button>
          </div>
        )}
      </Loaded>
    </Dialog>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
