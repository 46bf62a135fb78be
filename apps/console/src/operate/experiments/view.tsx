import { EmptyState } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'

/** The experiments that run, and what they show. */
export function ExperimentsView() {
  return (
    <OperatorPage title="Experiments" about="The experiments that run, and what they show.">
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
