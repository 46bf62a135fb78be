import type { CallSource } from '@freshet/service/rate-limits'
import type { SourceTags } from '@freshet/service/source-tags'
import type { IngestCall } from './append.ts'

/** The source tag of the events of a user, by the id that the caller gives; null: none. */
export type TagOf = (userId: string) => number | null

/** The tags of the events of a request: that of its address, but none for the user of its read token, who is vouched for. */
export function tagsOf(sourceTags: SourceTags | undefined, call: IngestCall | undefined): TagOf | Promise<TagOf> {
  const source = call?.source
  if (source === undefined || sourceTags === undefined) return noTags
  const tag = sourceTags.of(source)
  // A promise for each request would cost more than the tag, which is nearly always known.
  return tag instanceof Promise ? tag.then((known) => tagsBut(source, known)) : tagsBut(source, tag)
}

const noTags: TagOf = () => null

function tagsBut({ caller }: CallSource, tag: number | null): TagOf {
  return tag === null ? noTags : (userId) => (userId === caller.userId ? null : tag)
}
