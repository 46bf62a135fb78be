import { EmptyState } from '../../ui/states.tsx'
import { AdminKeyCard } from '../admin-key.tsx'
import { OperatorPage } from '../frame.tsx'

/** Services, lag, degradation and events that could not be applied. */
export function SystemView() {
  return (
    <OperatorPage title="System" about="Services, lag, degradation and events that could not be applied.">
      <AdminKeyCard />
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
