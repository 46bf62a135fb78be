import type { PlanInput } from '../plan/plan.ts'
import type { ValueType } from '../plan/value-type.ts'

const scalar: ValueType = { kind: 'scalar' }
const category: ValueType = { kind: 'category' }
const embedding = { kind: 'vector', size: 16 } as const

const types: Readonly<Record<string, ValueType>> = {
  'user.favourite_creator': category,
  'user.locale': category,
  'user.taste': embedding,
  'user.tempo': scalar,
  'user.recent_pins': { kind: 'sequence', of: { kind: 'category' }, max: 50 },
  'user.recent_embeddings': { kind: 'sequence', of: embedding, max: 50 },
  'request.time': scalar,
  'request.weekday': category,
  'pin.age_hours': scalar,
  'pin.clicks': scalar,
  'pin.created_at': scalar,
  'pin.creator': category,
  'pin.embedding': embedding,
  'pin.impressions': scalar,
  'pin.save_rate': scalar,
  'pin.saves': scalar,
  'pin.saves_at': scalar,
  'pin.tempo': scalar,
  'pin.title': category,
  'pin.topics': { kind: 'sequence', of: { kind: 'category' }, max: 8 },
  'candidate.seen': scalar,
  'candidate.topic_affinity': scalar,
}

/** The inputs that the examples of transforms use. */
export const exampleInputs: readonly PlanInput[] = Object.entries(types).map(([name, type]) => ({
  name,
  type,
  side: /^(user|request)\./.test(name) ? 'request' : 'candidate',
}))
