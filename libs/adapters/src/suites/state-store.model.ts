import type { CommitOutcome, StateCommit, StateStore } from '@freshet/contracts/ports/state-store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aCommit, collect } from './state-store.builders.ts'

const keys = ['a', 'b', 'ü', '😀'] as const
const ids = [0n, 1n, 256n, 0xffffffffffffffffn, 0x9e3779b97f4a7c15n] as const
const generations = [1, 2] as const

interface Step {
  readonly writer: 0 | 1
  /** How far the writer's batch starts behind (or ahead of) its last known position. */
  readonly drift: number
  readonly length: number
  readonly puts: readonly { readonly key: string; readonly value: Uint8Array }[]
  readonly appends: readonly { readonly key: string; readonly value: Uint8Array }[]
  readonly deletes: readonly string[]
  readonly meta: Uint8Array | null
  readonly remember: readonly { readonly generation: number; readonly id: bigint }[]
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    writer: fc.constantFrom(0, 1),
    drift: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }) },
    ),
    length: fc.integer({ min: 1, max: 4 }),
    puts: fc.array(fc.record({ key: fc.constantFrom(...keys), value: fc.uint8Array({ maxLength: 20 }) }), {
      maxLength: 3,
    }),
    appends: fc.array(fc.record({ key: fc.constantFrom(...keys), value: fc.uint8Array({ maxLength: 9 }) }), {
      maxLength: 3,
    }),
    deletes: fc.array(fc.constantFrom(...keys), { maxLength: 2 }),
    meta: fc.option(fc.uint8Array({ maxLength: 9 })),
    remember: fc.array(fc.record({ generation: fc.constantFrom(...generations), id: fc.constantFrom(...ids) }), {
      maxLength: 4,
    }),
  }),
  { minLength: 1, maxLength: 25 },
)

/** Property tests of the fence: after any sequence of commits by two writers the state is as the port documents. */
export function modelLaws(fixture: () => { readonly store: StateStore; another(): StateStore }): void {
  test('after any commits of two writers the state is that of the APPLIED ones', async () => {
    const writers: readonly [StateStore, StateStore] = [fixture().store, fixture().another()]
    let run = 0
    const law = fc.asyncProperty(steps, async (sequence) => {
      const scope = `law.${run++}`
      const model = new PartitionModel()
      const heard: [number, number] = [0, 0]
      for (const step of sequence) {
        const commit = commitOf(step, scope, Math.max(0, heard[step.writer] + step.drift))
        const outcome = await writers[step.writer].commit(commit)
        expect(outcome).toEqual(model.commit(commit))
        heard[step.writer] = outcome.stored
      }
      for (const generation of generations) {
        const query = {
          scope,
          partition: 0,
          keys,
          hashes: BigUint64Array.from(ids),
          generations: [generation],
          ends: { keys, bytes: 5 },
        }
        expect(await writers[0].readForFold(query)).toEqual(model.read(generation))
      }
      const rows = await collect(writers[1].scan(scope, 0))
      expect(new Map(rows.map(({ key, value }) => [key, value]))).toEqual(model.values)
    })
    await fc.assert(law, { numRuns: 40, seed: 20_260_101 })
  })
}

function commitOf(step: Step, scope: string, from: number): StateCommit {
  const { deletes, meta } = step
  return aCommit({
    scope,
    from,
    next: from + step.length,
    puts: step.puts.map((put) => ({ ...put, ttlMs: null })),
    appends: step.appends.map((put) => ({ ...put, ttlMs: 3_600_000 })),
    deletes,
    meta,
    remember: step.remember.map(({ generation, id }) => ({
      generation,
      hashes: BigUint64Array.from([id]),
      ttlMs: 3_600_000,
    })),
  })
}

/** The simplest model of one partition by the port's documentation. Deletes come before puts, puts before appends. */
class PartitionModel {
  readonly values = new Map<string, Uint8Array>()
  readonly #remembered = new Set<string>()
  #position: number | null = null
  #meta: Uint8Array | null = null

  commit(commit: StateCommit): CommitOutcome {
    const stored = this.#position ?? 0
    if (stored >= commit.next) return { kind: 'SKIPPED', stored }
    if (stored > commit.from) return { kind: 'PARTIAL', stored }
    if (stored < commit.from) return { kind: 'ROLLBACK', stored }
    for (const key of commit.deletes) this.values.delete(key)
    for (const { key, value } of commit.puts) this.values.set(key, value)
    for (const { key, value } of commit.appends) {
      this.values.set(key, Uint8Array.from([...(this.values.get(key) ?? []), ...value]))
    }
    for (const { generation, hashes } of commit.remember) {
      for (const hash of hashes) this.#remembered.add(`${generation}/${hash}`)
    }
    this.#meta = commit.meta
    this.#position = commit.next
    return { kind: 'APPLIED', stored: commit.next }
  }

  read(generation: number) {
    return {
      position: this.#position,
      meta: this.#meta,
      values: keys.map((key) => this.values.get(key) ?? null),
      seen: Uint8Array.from(ids, (id) => (this.#remembered.has(`${generation}/${id}`) ? 1 : 0)),
      ends: keys.map((key) => this.values.get(key)?.slice(-5) ?? null),
    }
  }
}
