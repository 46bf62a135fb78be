import type { Feature } from '@freshet/domain/features/feature'
import type { FeaturePage } from '../features/context.ts'
import { features } from '../features/catalogue.ts'
import type { KnownInput } from './declare.ts'
import type { Side } from '../plan/plan.ts'
import type { ValueType } from '../plan/value-type.ts'

/** An input that the ranker has for each request or candidate. */
export interface ServingInput extends KnownInput {
  /** The feature of the catalogue under whose name a served feed records it; null: it is one of the names and texts below. */
  readonly feature: string | null
  /** For example `probability`. */
  readonly unit: string
}

const category: ValueType = { kind: 'category' }
const topics: ValueType = { kind: 'sequence', of: category, max: 16 }
const sources: ValueType = { kind: 'sequence', of: category, max: 16 }

/** What a request and its candidates are, next to their features. */
const facts: readonly ServingInput[] = [
  fact('user.id', category, 'request', 'id'),
  fact('pin.id', category, 'candidate', 'id'),
  fact('pin.creator', category, 'candidate', 'id'),
  fact('pin.topics', topics, 'candidate', 'names of topics'),
  fact('request.surface', category, 'request', 'name'),
  fact('request.locale', category, 'request', 'BCP 47 language tag'),
  fact('candidate.sources', sources, 'candidate', 'names of sources'),
  {
    ...fact(
      'candidate.position',
      { kind: 'scalar' },
      'candidate',
      'position in the feed, 0 = first; only training knows it',
    ),
    isServed: false,
  },
]

/** Needs that depend on the user. */
const userNeeds: ReadonlySet<string> = new Set(['user', 'interests', 'userRates'])
/** Beginnings of names of features that depend on the pin alone. */
const pinNames = ['pin_', 'topic_overall_', 'creator_overall_']

/**
 * The name of a feature in a spec: `user.*` and `request.*` are the same for all candidates, `pin.*` depends on the pin alone,
 * `candidate.*` on the user and the pin, or on how the pin was found. `user_save_rate` is `user.save_rate`,
 * `topic_affinity` is `candidate.topic_affinity`.
 */
function inputOf({ name, width, unit, needs, of }: Feature<FeaturePage>): ServingInput {
  const readsUser = needs.some((need) => userNeeds.has(need))
  const isOfPin = !readsUser && pinNames.some((beginning) => name.startsWith(beginning))
  const group = of === 'request' ? (readsUser ? 'user' : 'request') : isOfPin ? 'pin' : 'candidate'
  const rest = name.startsWith(`${group}_`) ? name.slice(group.length + 1) : name
  return {
    name: `${group}.${rest.replaceAll('-', '_')}`,
    type: width === 1 ? { kind: 'scalar' } : { kind: 'vector', size: width },
    side: of,
    feature: name,
    unit,
  }
}

function fact(name: string, type: ValueType, side: Side, unit: string): ServingInput {
  return { name, type, side, feature: null, unit }
}

/** Every input of serving: first the facts, then the features in the order of their catalogue. */
export const servingInputs: readonly ServingInput[] = [...facts, ...features.map(inputOf)]
