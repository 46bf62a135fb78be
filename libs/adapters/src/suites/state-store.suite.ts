import { describe } from 'vitest'
import { storeAppendContract } from './state-store-append.suite.ts'
import { storeFaultsContract } from './state-store-faults.suite.ts'
import { storeFenceContract } from './state-store-fence.suite.ts'
import { storeLivesContract } from './state-store-lives.suite.ts'
import { storeValuesContract } from './state-store-values.suite.ts'
import { createStateStoreWorld, type StateStoreFaults, type StateStoreFixture } from './state-store.world.ts'

/** The contract of every state store; each test calls `makeFixture`. */
export function stateStoreContract(
  name: string,
  makeFixture: () => Promise<StateStoreFixture>,
  faults: StateStoreFaults = {},
): void {
  describe(`${name}: a state store`, () => {
    const world = createStateStoreWorld(makeFixture, faults)
    storeValuesContract(world)
    storeFenceContract(world)
    storeLivesContract(world)
    storeAppendContract(world)
    storeFaultsContract(world)
  })
}
