import { Button } from '../ui/button.tsx'
import { EmptyState } from '../ui/states.tsx'

/** What is shown instead of a blank page when drawing failed. */
export function Crashed({ error }: { readonly error: unknown }) {
  return (
    <main className="main">
      <EmptyState
        title="This page made a mistake"
        action={
          <Button
            look="solid"
            onClick={() => {
              location.reload()
            }}
          >
            Load again
          </Button>
        }
      >
        {error instanceof Error ? error.message : String(error)}
      </EmptyState>
    </main>
  )
}
