import { EmptyState } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'

/** What each source contributes to feeds, and what it costs. */
export function SourcesView() {
  return (
    <OperatorPage title="Sources" about="What each source contributes to feeds, and what it costs.">
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
