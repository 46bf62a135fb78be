import { useEffect } from 'react'
import { after } from '../api/browser.ts'
import { loadConfig } from '../api/config.ts'
import { Button } from '../ui/button.tsx'
import { EmptyState } from '../ui/states.tsx'

const retryMs = 2_000

/** What is shown instead of a blank page when drawing failed, or when a file of the page did not come. */
export function Crashed({ error }: { readonly error: unknown }) {
  const message = error instanceof Error ? error.message : String(error)
  const isMissing = isMissingFile(message)
  useEffect(() => {
    if (!isMissing) return
    const ending = new AbortController()
    let cancel = (): void => undefined
    const wait = (): void => {
      cancel = after(retryMs, () => {
        loadConfig(ending.signal).then(() => {
          location.reload()
        }, wait)
      })
    }
    wait()
    return () => {
      ending.abort()
      cancel()
    }
  }, [isMissing])
  return (
    <main className="main">
      <EmptyState
        title={isMissing ? 'The server does not answer' : 'This page made a mistake'}
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
        {isMissing ? 'The page loads again by itself when the server is back.' : message}
      </EmptyState>
    </main>
  )
}

/** Whether browsers and vite say by this that a part of the page could not be loaded. */
function isMissingFile(message: string): boolean {
  return /unable to preload|dynamically imported module|importing a module script/i.test(message)
}
