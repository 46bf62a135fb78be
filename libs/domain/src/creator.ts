import type { CreatorId } from './ids.ts'

/** What the catalogue says about a creator. */
export interface Creator {
  readonly creatorId: CreatorId
  /** The name that pages show; empty: not known. */
  readonly name: string
  readonly imageUrl: string | null
  /** Nothing of this creator is shown. */
  readonly isSuspended: boolean
}

/** A change of a creator: the new entry, or the removal. `version`: see `nextPinStamp`; absent: none given. */
export type CreatorChange =
  | { readonly kind: 'upsert'; readonly creator: Creator; readonly version?: number }
  | { readonly kind: 'delete'; readonly creatorId: CreatorId; readonly version?: number }

/** Whether the catalogue's owner lets nothing of the creator be shown. */
export function closesCreator(change: CreatorChange): boolean {
  return change.kind === 'delete' || change.creator.isSuspended
}
