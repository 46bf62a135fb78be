import { mulberry32 } from '@freshet/domain/mulberry32'
import { compileSpec } from '@freshet/ranking/language/compile'
import type { RowTable } from '@freshet/ranking/plan/column'
import type { Plan } from '@freshet/ranking/plan/plan'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'

/** The model that both sides train: so many categories of so many names each, vectors of 10, hidden layers. */
export const trainingShape = { fields: 10, names: 500, size: 10, hidden: [200, 100], batchRows: 1024 } as const

/** Rows of categories and whether it happened; a few names of each category make it likely. */
export interface TrainingRows {
  readonly rows: number
  /** A column per field: numbers of names. */
  readonly fields: readonly Int32Array[]
  readonly labels: Float32Array
}

/** Random rows. */
export function trainingRows(rows: number): TrainingRows {
  const random = mulberry32(1)
  const { fields: count, names } = trainingShape
  const fields = Array.from({ length: count }, () =>
    Int32Array.from({ length: rows }, () => Math.floor(names * random() ** 2)),
  )
  const labels = Float32Array.from({ length: rows }, (_, row) => {
    const logit = fields.reduce((sum, field) => sum + (field[row]! % 3) - 1, -1)
    return random() < 1 / (1 + Math.exp(-logit)) ? 1 : 0
  })
  return { rows, fields, labels }
}

/** The model as a plan. Its inputs are rows of tables already: what is measured is the training. */
export function trainingPlan(): Plan {
  const { fields, names, size, hidden, batchRows } = trainingShape
  const inputs = Array.from({ length: fields }, (_, at) => `field${at}`)
  const { plan } = compileSpec(
    `spec benchmark
input ${inputs.join(', ')}: category
feature vectors = embedding(${inputs.map((name) => `vocabulary(${name}, max: ${names})`).join(', ')}, size: ${size})
layer trunk = mlp(vectors, hidden: [${hidden.join(', ')}])
head used: probability = linear(trunk)
utility = used
train epochs: 4, batch: ${batchRows}, rate: 0.001, l2: 0, dropout: 0, patience: 4
`,
    {
      file: 'training.rank',
      catalogue: transformCatalogue,
      inputs: null,
      readFile: (path) => {
        throw new Error(`the spec extends ${path}`)
      },
    },
  )
  return plan
}

/** The rows as the plan reads them. */
export function tableOf({ rows, fields, labels }: TrainingRows): RowTable {
  const names = Array.from({ length: trainingShape.names }, (_, name) => `name-${name}`)
  return {
    rows,
    inputs: new Map(fields.map((codes, at) => [`field${at}`, { kind: 'categories', rows, codes, names }])),
    labels: new Map([['used', labels]]),
    weights: null,
  }
}
