import { EmptyState } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'

/** What the services know of one user. */
export function UserView() {
  return (
    <OperatorPage title="Users" about="What the services know of one user.">
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
