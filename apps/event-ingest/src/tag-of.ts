import type { SourceTags } from '@freshet/service/source-tags'
import type { IngestCall } from './append.ts'

/** The source tag of the events of a user, by the id that the caller gives; null: none. */
export type TagOf = (userId: string) => number | null

/** The tags of the events of a request: that of its address, but none for the user of its read token, who is vouched for. */
export async function tagsOf(sourceTags: SourceTags | undefined, call: IngestCall | undefined): Promise<TagOf> {
  const source = call?.source
  const tag = source === undefined ? null : ((await sourceTags?.of(source)) ?? null)
  return (userId) => (userId === source?.caller.userId ? null : tag)
}
