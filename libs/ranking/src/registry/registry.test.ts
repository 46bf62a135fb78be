import { modelStages, type ModelRecord, type ModelStage } from '@freshet/domain/model-record'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createModelRegistry, planRollBack, planTransition, type ModelRegistry } from './registry.ts'
import { aModelRecord } from './testing.ts'

function fold(records: readonly ModelRecord[]): ModelRegistry {
  const registry = createModelRegistry()
  for (const record of records) registry.fold(record.version, record)
  return registry
}

const versions = ['a', 'b', 'c', 'd']
const records = fc.array(
  fc
    .tuple(fc.constantFrom(...versions), fc.constantFrom(...modelStages))
    .map(([version, stage]) => aModelRecord({ version, stage })),
  { maxLength: 30 },
)

const stagesOf = (registry: ModelRegistry): readonly string[] =>
  registry.models().map(({ version, stage }) => `${version} ${stage}`)

describe('the registry of models', () => {
  it('has exactly one serving model after any records: one of its own or the built-in one', () => {
    fc.assert(
      fc.property(records, (given) => {
        const registry = fold(given)
        const serving = registry.models().filter(({ stage }) => stage === 'serving')
        expect(serving).toEqual(registry.serving() === null ? [] : [registry.serving()])
        for (const stage of ['canary', 'shadow'] as const)
          expect(registry.models().filter((model) => model.stage === stage)).toEqual(
            registry[stage]() === null ? [] : [registry[stage]()],
          )
      }),
    )
  })

  it('is the same after compaction, which keeps the last record of each version in its place', () => {
    fc.assert(
      fc.property(records, (given) => {
        const kept = given.filter(({ version }, at) => !given.slice(at + 1).some((later) => later.version === version))
        expect(fold(kept).models()).toEqual(fold(given).models())
      }),
    )
  })

  it('returns by each roll-back to the model that served before, and at last to the built-in one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...versions), { minLength: 1 }), (promoted) => {
        const registry = fold(versions.map((version) => aModelRecord({ version })))
        for (const version of promoted)
          registry.fold(version, planTransition(registry, { version, to: 'serving', reason: 'better', atMs: 1 }))
        for (const [at] of promoted.entries()) {
          const rolledBack = planRollBack(registry, { reason: 'worse', atMs: 2 })
          expect(rolledBack).toMatchObject({ version: promoted.at(-1 - at), stage: 'retired', reason: 'worse' })
          registry.fold(rolledBack.version, rolledBack)
          expect(registry.serving()?.version).toBe(promoted.at(-2 - at))
        }
        expect(() => planRollBack(registry, { reason: '', atMs: 3 })).toThrow(/no model served before it/)
      }),
    )
  })

  it.each<[ModelStage, readonly ModelStage[]]>([
    ['candidate', ['shadow', 'canary', 'serving', 'retired', 'rejected']],
    ['shadow', ['shadow', 'canary', 'serving', 'retired', 'rejected']],
    ['canary', ['shadow', 'canary', 'serving', 'retired', 'rejected']],
    ['serving', []],
    ['retired', ['shadow', 'canary', 'serving', 'rejected']],
    ['rejected', []],
  ])('lets a %s model become one of [%s] and refuses every other stage by name', (from, possible) => {
    const registry = fold([aModelRecord({ version: 'a', stage: from })])
    for (const to of modelStages) {
      const share = to === 'shadow' || to === 'canary' ? 0.1 : 0
      const change = () => planTransition(registry, { version: 'a', to, share, reason: 'r', atMs: 5 })
      if (possible.includes(to))
        expect(change()).toMatchObject({ version: 'a', stage: to, share, reason: 'r', atMs: 5 })
      else expect(change).toThrow(expect.objectContaining({ code: 'MODEL_TRANSITION_REFUSED' }))
    }
  })

  it.each([
    ['canary', 0],
    ['canary', 1.5],
    ['shadow', Number.NaN],
    ['serving', 0.5],
  ] as const)('refuses a %s model with the share %d', (to, share) => {
    const registry = fold([aModelRecord({ version: 'a' })])
    expect(() => planTransition(registry, { version: 'a', to, share, reason: '', atMs: 1 })).toThrow(/the share of a/)
  })

  it('names the nearest known version when a version is unknown', () => {
    const registry = fold([aModelRecord({ version: 'home-20260101-120000' })])
    expect(() =>
      planTransition(registry, { version: 'home-20260101-12000', to: 'serving', reason: '', atMs: 1 }),
    ).toThrow('there is no model home-20260101-12000; did you mean home-20260101-120000?')
  })

  it('ends a canary when a later model serves', () => {
    const registry = fold([
      aModelRecord({ version: 'a', stage: 'serving' }),
      aModelRecord({ version: 'b', stage: 'canary' }),
      aModelRecord({ version: 'c', stage: 'serving' }),
    ])
    expect(registry.canary()).toBeNull()
    expect(stagesOf(registry)).toEqual(['a retired', 'b retired', 'c serving'])
    expect(registry.models().map(({ reason }) => reason)).toEqual(['replaced by c', 'replaced by c', ''])
  })
})
