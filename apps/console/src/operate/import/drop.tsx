import { useRef, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'

/** Takes files that are dropped or chosen. */
export function DropPlace({
  onFiles,
  isBusy,
}: {
  readonly onFiles: (files: readonly File[]) => void
  readonly isBusy: boolean
}) {
  const input = useRef<HTMLInputElement>(null)
  const [isOver, setIsOver] = useState(false)
  return (
    <div
      className={`drop-place ${isOver ? 'drop-place-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setIsOver(true)
      }}
      onDragLeave={() => {
        setIsOver(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setIsOver(false)
        if (!isBusy) onFiles([...event.dataTransfer.files])
      }}
    >
      <Icon name="import" />
      <p>
        <strong>Drop a file here</strong>
      </p>
      <p className="soft">CSV, TSV or other delimiters, JSON lines, MovieLens, recordings; also .gz. Up to 2 GB.</p>
      <Button
        look="solid"
        disabled={isBusy}
        onClick={() => {
          input.current?.click()
        }}
      >
        Choose a file
      </Button>
      <input
        ref={input}
        className="hidden-words"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Files to import"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
    </div>
  )
}
