import type { CallRule } from '@freshet/access/rules'
import type { Blender } from '@freshet/contracts/ports/calls'

type RequestOf<Method extends keyof Blender> = Parameters<Blender[Method]>[0]

/** The access rule of every call of the blender. HTTP JSON, Connect and gRPC use this table. */
export const blenderRules: { readonly [Method in keyof Blender]: CallRule<RequestOf<Method>> } = {
  getFeed: { rule: 'read-own', user: userOf, trustedField: trustedFieldOf },
  getRelatedPins: { rule: 'read-own', user: userOf, trustedField: trustedFieldOf },
  rankPins: { rule: 'read-own', user: userOf, trustedField: trustedFieldOf },
  getPins: { rule: 'read-own', trustedField: trustedFieldOf },
  searchByImage: { rule: 'read-own', user: userOf, trustedField: trustedFieldOf },
  explainFeed: { rule: 'trusted' },
  getCapabilities: { rule: 'public' },
}

function userOf({ userId }: { readonly userId: string }): string {
  return userId
}

/** Fields that change what an answer says about the state of others, or about how it came about. */
interface TrustedFields {
  readonly atMs?: number | undefined
  readonly explain?: boolean
  readonly evaluation?: object | undefined
}

function trustedFieldOf({ atMs, explain, evaluation }: TrustedFields): string | null {
  if (evaluation !== undefined) return 'evaluation'
  if (explain === true) return 'explain'
  return atMs === undefined ? null : 'atMs'
}
