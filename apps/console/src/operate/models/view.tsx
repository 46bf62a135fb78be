import { EmptyState } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'

/** The versions of the ranking model and how they were judged. */
export function ModelsView() {
  return (
    <OperatorPage title="Models" about="The versions of the ranking model and how they were judged.">
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
