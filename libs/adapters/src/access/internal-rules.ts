import type { CallRules } from '@freshet/access/rules'

/** The access rules of a service that only services of ours call: the same for each of its methods. */
export function internalRules(definition: object): CallRules {
  return Object.fromEntries(Object.keys(definition).map((method) => [method, { rule: 'internal' } as const]))
}
