import { artefactStoreContract } from '../suites/artefact-store.suite.ts'
import { createMemoryArtefactStore } from './artefact-store.ts'

artefactStoreContract('memory', async () => {
  const store = createMemoryArtefactStore()
  return { store, another: () => store, close: async () => {} }
})
