import { EmptyState } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'

/** Your history and your catalogue, from a file. */
export function ImportView() {
  return (
    <OperatorPage title="Import" about="Your history and your catalogue, from a file.">
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
