import { useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'

/** A field for an id and a button that shows what has it. */
export function IdSearch({
  label,
  value,
  onSearch,
}: {
  readonly label: string
  readonly value: string
  readonly onSearch: (id: string) => void
}) {
  const [text, setText] = useState(value)
  return (
    <form
      className="row section-space"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() !== '') onSearch(text.trim())
      }}
    >
      <TextField
        label={label}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
        }}
      />
      <Button type="submit" look="solid">
        Show
      </Button>
    </form>
  )
}
