import type { PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import type { Blender } from '@freshet/contracts/ports/calls'

/** A blender whose callers know users by other ids than the log and the state. Answers name no user but `explainFeed`, which answers the pseudonym, because nobody can turn it back. */
export function pseudonymous(blender: Blender, pseudonymOf: PseudonymOf): Blender {
  const renamed = <Request extends { readonly userId: string }>(request: Request): Request => ({
    ...request,
    userId: pseudonymOf(request.userId),
  })
  /** Catalogues have the ids of creators as they are, so the user's own pins are known by the given id. */
  const owning = <Call>({ userId }: { readonly userId: string }, call: Call) => ({ ...call, ownCreatorId: userId })
  return {
    getFeed: (request, call) => blender.getFeed(renamed(request), owning(request, call)),
    getRelatedPins: (request, call) => blender.getRelatedPins(renamed(request), owning(request, call)),
    rankPins: (request, call) => blender.rankPins(renamed(request), owning(request, call)),
    searchByImage: (request, call) => blender.searchByImage(renamed(request), owning(request, call)),
    getPins: (request, call) => blender.getPins(request, call),
    explainFeed: (request, call) => blender.explainFeed(request, call),
    getCapabilities: (request, call) => blender.getCapabilities(request, call),
  }
}
