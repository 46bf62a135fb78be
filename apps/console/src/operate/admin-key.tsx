import { useState } from 'react'
import { adminKey, setAdminKey } from '../api/http.ts'
import { Button } from '../ui/button.tsx'
import { Card } from '../ui/card.tsx'
import { TextField } from '../ui/field.tsx'

/** Takes the admin key and keeps it for this tab. */
export function AdminKeyCard() {
  const [key, setKey] = useState(() => adminKey() ?? '')
  const [isKept, setIsKept] = useState(() => adminKey() !== null)
  return (
    <Card title="Admin key" note="Kept in this tab only, and sent with every call of this page.">
      <form
        className="admin-key"
        onSubmit={(event) => {
          event.preventDefault()
          setAdminKey(key === '' ? null : key)
          setIsKept(key !== '')
        }}
      >
        <TextField
          label="Key"
          type="password"
          autoComplete="off"
          value={key}
          onChange={(event) => {
            setKey(event.target.value)
          }}
        />
        <Button type="submit" look="solid">
          {isKept ? 'Replace' : 'Use'}
        </Button>
      </form>
    </Card>
  )
}
