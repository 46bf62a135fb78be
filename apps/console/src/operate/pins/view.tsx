import { EmptyState } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'

/** What the services know of one pin. */
export function PinView() {
  return (
    <OperatorPage title="Pins" about="What the services know of one pin.">
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
