import { useRef, useState } from 'react'
import { asFailure, callJson } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Card } from '../../ui/card.tsx'
import { Loaded } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'
import { OperatorPage } from '../frame.tsx'
import { bytes, percent } from '../shared/format.ts'
import '../shared/shared.css'
import { DropPlace } from './drop.tsx'
import { FileCard } from './file-card.tsx'
import { pathOf, sendFile } from './send.ts'
import type { ImportsAnswer, SentFile } from './types.ts'
import './import.css'

/** Imports files: how each would be read, progress, and the table at the end. */
export function ImportView() {
  const [isFast, setIsFast] = useState(false)
  const imports = useResource(
    'imports',
    async (signal) => {
      const answer = await callJson<ImportsAnswer>('/api/console/operate/imports', { signal })
      setIsFast(answer.files.some(({ job }) => job?.state === 'running'))
      return answer
    },
    { everyMs: isFast ? 400 : 5_000 },
  )
  const [sending, setSending] = useState<{ readonly name: string; readonly share: number } | null>(null)
  const stopping = useRef<AbortController | null>(null)
  const show = useToast()

  const send = async (files: readonly File[]): Promise<void> => {
    const ending = new AbortController()
    stopping.current = ending
    for (const file of files) {
      setSending({ name: file.name, share: 0 })
      try {
        await sendFile(file, {
          signal: ending.signal,
          onSent: (sent) => {
            setSending({ name: file.name, share: file.size === 0 ? 1 : sent / file.size })
          },
        })
      } catch (thrown) {
        if (!ending.signal.aborted) show({ message: `${file.name}: ${asFailure(thrown).message}`, tone: 'bad' })
      }
      imports.reload()
    }
    setSending(null)
  }
  const remove = (file: SentFile): void => {
    callJson(pathOf(file.id), { method: 'DELETE' }).then(imports.reload, (thrown: unknown) => {
      show({ message: asFailure(thrown).message, tone: 'bad' })
    })
  }

  return (
    <OperatorPage
      title="Import"
      about="Bring your own history and catalogue. You see how each column is read before anything is written; a second import of the same rows changes nothing."
    >
      <Loaded what="The import" resource={imports} lines={6}>
        {({ canImport, files }) => (
          <div className="stack">
            {!canImport && (
              <p className="notice notice-warn">
                This console has no address to import to. Start it with <code>--events</code> (and <code>--admin</code>
                ). Files can be checked.
              </p>
            )}
            <DropPlace onFiles={(dropped) => void send(dropped)} isBusy={sending !== null} />
            {sending !== null && (
              <Card
                title={`Sending ${sending.name}`}
                actions={
                  <Button
                    size="s"
                    onClick={() => {
                      stopping.current?.abort()
                    }}
                  >
                    Stop
                  </Button>
                }
              >
                <progress aria-label={`Sending ${sending.name}`} value={sending.share} max={1} />
                <p className="soft">{percent(sending.share)}</p>
              </Card>
            )}
            {files.toReversed().map((file) => (
              <FileCard
                key={file.id}
                file={file}
                canImport={canImport}
                reload={imports.reload}
                onRemove={() => {
                  remove(file)
                }}
              />
            ))}
            {files.length === 0 && <Hints />}
          </div>
        )}
      </Loaded>
    </OperatorPage>
  )
}

function Hints() {
  return (
    <Card title="What a file may hold">
      <div className="grid-2 even">
        <div>
          <h3>What users did</h3>
          <p className="soft">
            A line for each action, with a user, an item and a time; an action or a rating if you have one.
          </p>
          <pre className="code">
            {'user_id,item_id,timestamp,event\nada,p1,2024-05-01T10:00:00Z,view\nada,p2,2024-05-01T10:02:00Z,purchase'}
          </pre>
        </div>
        <div>
          <h3>Your catalogue</h3>
          <p className="soft">A line for each item, with an id and a title, topics, a creator, a picture.</p>
          <pre className="code">{'item_id,title,genres\np1,A red bicycle,sport|city\np2,A kettle,kitchen'}</pre>
        </div>
      </div>
      <p className="soft section-space">
        Columns with other names can be mapped by hand. The same import works on the command line:{' '}
        <code>npx freshet import FILE</code> <Badge>{bytes(2_000_000_000)} and more</Badge>
      </p>
    </Card>
  )
}
