import { expect, it } from 'vitest'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { aPlan } from './plan.builders.ts'
import { planCost } from './plan-cost.ts'
import type { PlanNode } from './plan.ts'
import { keptNodes, staticNodes } from './static-nodes.ts'

const scalar = { kind: 'scalar' } as const
const vector = { kind: 'vector', size: 8 } as const
const topics = { kind: 'sequence', of: { kind: 'category' }, max: 5 } as const

const plan = aPlan({
  inputs: [
    { name: 'user.taste', type: vector, side: 'request' },
    { name: 'pin.embedding', type: vector, side: 'candidate' },
    { name: 'pin.topics', type: topics, side: 'candidate' },
    { name: 'pin.saves', type: scalar, side: 'candidate' },
  ],
  nodes: [
    { id: 'user_norm', transform: 'norm', args: ['user.taste'], params: {}, type: scalar, side: 'request' },
    { id: 'norm', transform: 'norm', args: ['pin.embedding'], params: {}, type: scalar, side: 'candidate' },
    { id: 'half', transform: 'constant', args: [], params: { value: 0.5 }, type: scalar, side: 'request' },
    { id: 'half_norm', transform: 'multiply', args: ['norm', 'half'], params: {}, type: scalar, side: 'candidate' },
    {
      id: 'match',
      transform: 'dot',
      args: ['user.taste', 'pin.embedding'],
      params: {},
      type: scalar,
      side: 'candidate',
    },
    { id: 'score', transform: 'multiply', args: ['match', 'half_norm'], params: {}, type: scalar, side: 'candidate' },
    hashed(),
    { id: 'count', transform: 'length', args: ['hashed'], params: {}, type: scalar, side: 'candidate' },
    { id: 'total', transform: 'add', args: ['count', 'pin.saves'], params: {}, type: scalar, side: 'candidate' },
  ],
  exposed: ['score', 'total', 'user_norm'],
})

function hashed(): PlanNode {
  const type = { kind: 'sequence', of: { kind: 'index', rows: 9, hashes: 2 }, max: 5 } as const
  return {
    id: 'hashed',
    transform: 'hash',
    args: ['pin.topics'],
    params: { rows: 9, hashes: 2 },
    type,
    side: 'candidate',
  }
}

it('costs are counted once for a request and for each candidate', () => {
  const { perRequest, perCandidate, nodes } = planCost(plan, transformCatalogue)
  expect(Object.fromEntries(nodes.map(({ id, multiplyAdds }) => [id, multiplyAdds]))).toEqual({
    user_norm: 8,
    norm: 8,
    half: 0,
    half_norm: 2,
    match: 16,
    score: 2,
    hashed: 10,
    count: 1,
    total: 2,
  })
  expect([perRequest, perCandidate]).toEqual([8, 41])
})

it('static nodes are those of inputs that change rarely; what others read of them is kept', () => {
  const isStatic = ({ name }: { readonly name: string }) => ['pin.embedding', 'pin.topics'].includes(name)
  expect([...staticNodes(plan, transformCatalogue, isStatic)]).toEqual(['norm', 'half_norm', 'hashed', 'count'])
  expect(keptNodes(plan, transformCatalogue, isStatic).map(({ id }) => id)).toEqual(['half_norm', 'count'])
})
