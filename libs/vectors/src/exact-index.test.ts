import { createExactIndex } from './exact-index.ts'
import { vectorIndexSuite } from './vector-index.suite.ts'

vectorIndexSuite({ name: 'exact', recall: 1, make: (dimensions) => createExactIndex({ dimensions }) })
