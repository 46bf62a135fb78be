import type { StateCommit, StateStore } from '@freshet/contracts/ports/state-store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aCommit, text } from './state-store.builders.ts'

/** One adapter's store with its own data, and faults that tests can cause. */
export interface StateStoreFixture {
  readonly store: StateStore
  /** A second client of the same data, like another process. */
  another(): StateStore
  /** Lets wall clock time pass for expiry. */
  pass(ms: number): Promise<void>
  /** Runs `doomed`, then loses its commits, like a failover to a replica that had not received them. */
  failover?(doomed: () => Promise<void>): Promise<void>
  /** Makes the server forget its scripts. */
  flushScripts?(): Promise<void>
  /** Makes the server silent until the returned function is called. */
  outage?(): Promise<() => Promise<void>>
  /** The longest that a call may take while the server is silent. */
  readonly outageBoundMs?: number
  close(): Promise<void>
}

/**
 * Faults of an adapter's server, and whether tests can cause them here: `absent` ones are skipped by name. Faults that an
 * adapter cannot have, because it has no server, are left out together with their tests.
 */
export type StateStoreFaults = Readonly<Partial<Record<'failover' | 'flushScripts' | 'outage', 'present' | 'absent'>>>

/** The scope that the tests use. */
export const scope = 'user.1'

/** The store under test and what its tests do with it. */
export type StateStoreWorld = ReturnType<typeof createStateStoreWorld>

/** Makes a fixture before each test of the current `describe`, and closes it after the test. */
export function createStateStoreWorld(makeFixture: () => Promise<StateStoreFixture>, faults: StateStoreFaults) {
  let fixture: StateStoreFixture | null = null
  const started = (): StateStoreFixture => {
    if (fixture === null) throw new Error('no test has begun yet: the fixture is made before each one')
    return fixture
  }
  beforeEach(async () => {
    fixture = await makeFixture()
  })
  afterEach(() => fixture?.close())

  /** A test that needs a fault: skipped by name where the fault is absent, left out where it cannot be. */
  const testUnder = (fault: keyof StateStoreFaults, title: string, body: () => Promise<void>): void => {
    if (faults[fault] !== undefined) test.skipIf(faults[fault] === 'absent')(title, body)
  }

  const apply = async (change: Partial<StateCommit>): Promise<void> => {
    expect(await started().store.commit(aCommit(change))).toEqual({ kind: 'APPLIED', stored: change.next ?? 1 })
  }
  const value = async (key: string, partition = 0): Promise<string | null> =>
    text((await started().store.read(scope, partition, [key])).values[0])

  return {
    get fixture(): StateStoreFixture {
      return started()
    },
    get store(): StateStore {
      return started().store
    },
    testUnder,
    apply,
    value,
  }
}
