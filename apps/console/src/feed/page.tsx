import { EmptyState } from '../ui/states.tsx'

/** The home feed. */
export function FeedPage() {
  return <EmptyState title="The feed is on its way">It comes with the next change.</EmptyState>
}
