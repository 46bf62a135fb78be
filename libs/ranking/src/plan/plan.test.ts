import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrainedModel } from '../model/trained-model.ts'
import type { Transform } from '../transforms/definition.ts'
import type { Column } from './column.ts'
import { canonicalJson, hashOfPlan, type Plan } from './plan.ts'
import { aPlan } from './plan.builders.ts'
import { formatType } from './value-type.ts'

const plan = aPlan({
  inputs: [{ name: 'pin.saves', type: { kind: 'scalar' }, side: 'candidate' }],
  exposed: ['pin.saves'],
})

/** The same value with the keys of every object in the opposite order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, turned(part)]),
  )
}

describe('canonical JSON', () => {
  it('does not depend on the order of keys, and parses to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(turned(value))).toBe(text)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('gives a plan a hash that changes with every part of it', () => {
    const hash = hashOfPlan(plan)
    expect(hash).toMatch(/^[0-9a-f]{16}$/)
    expect(hashOfPlan(turned(plan) as Plan)).toBe(hash)
    const others: readonly Partial<Plan>[] = [{ spec: 'related' }, { exposed: [] }, { inputs: [] }]
    for (const other of others) expect(hashOfPlan({ ...plan, ...other })).not.toBe(hash)
  })
})

describe('a type', () => {
  it.each([
    [{ kind: 'scalar' }, 'scalar'],
    [{ kind: 'vector', size: 16 }, 'vector[16]'],
    [{ kind: 'index', rows: 10, hashes: 2 }, 'index[10]'],
    [{ kind: 'sequence', of: { kind: 'vector', size: 4 }, max: 8 }, 'sequence[8] of vector[4]'],
  ] as const)('%j is written as %s', (type, text) => {
    expect(formatType(type)).toBe(text)
  })
})

/** Parts of the contract that later commits use. */
export type Contract = readonly [TrainedModel, Transform, Column]
