import { Link, useLocation } from 'wouter'
import { EmptyState } from '../ui/states.tsx'

/** No view has the path of the address. */
export function NotFound() {
  const [path] = useLocation()
  return (
    <>
      <h1 className="hidden-words">Not found</h1>
      <EmptyState title="Nothing is here" action={<Link href="/">Go to the feed</Link>}>
        {`${path.slice(0, 80)} is not a view of this page.`}
      </EmptyState>
    </>
  )
}
