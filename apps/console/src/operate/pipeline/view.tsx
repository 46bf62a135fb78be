import { EmptyState } from '../../ui/states.tsx'
import { OperatorPage } from '../frame.tsx'

/** The stages that turn candidates into a page, with what goes in and out. */
export function PipelineView() {
  return (
    <OperatorPage title="Pipeline" about="The stages that turn candidates into a page, with what goes in and out.">
      <EmptyState title="Not built yet">This view comes with the next change.</EmptyState>
    </OperatorPage>
  )
}
