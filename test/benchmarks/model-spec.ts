import { compileSpec } from '@freshet/ranking/language/compile'
import type { TrainedModel } from '@freshet/ranking/model/trained-model'
import { compileTensorProgram } from '@freshet/ranking/tensor/program'
import { initialWeights } from '@freshet/ranking/training/initial-weights'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import type { OnnxGraph, OnnxNode } from './onnx-model.ts'

/** Features of a candidate. */
export const modelWidth = 64

/** Units of the hidden layers. */
const hidden = [128, 64] as const

const trunks = {
  MLP: `mlp(candidate.x, hidden: [${hidden.join(', ')}])`,
  'DCN-v2': `dcn_v2(candidate.x, cross: 3, hidden: [${hidden.join(', ')}])`,
} as const

/** The models of the benchmark. */
export type ModelKind = keyof typeof trunks
export const modelKinds = Object.keys(trunks) as readonly ModelKind[]

/** A model of one head with random weights. */
export function modelOf(kind: ModelKind): TrainedModel {
  const { plan } = compileSpec(
    `spec benchmark
input candidate.x: vector[${modelWidth}]
layer trunk = ${trunks[kind]}
head save: probability = linear(trunk)
utility = save
`,
    { file: 'model.rank', catalogue: transformCatalogue, inputs: null, readFile: refuse },
  )
  const weights = initialWeights(compileTensorProgram(plan).weights, 1)
  return { plan, parameters: { weights, fitted: new Map() } }
}

/** The same formulas and weights as an ONNX graph. */
export function graphOf(kind: ModelKind, { parameters }: TrainedModel): OnnxGraph {
  const nodes: OnnxNode[] = []
  const dense = (from: string, of: string, output: string): void => {
    const [kernel, bias] = [`${of}_kernel`, `${of}_bias`]
    nodes.push({ operator: 'Gemm', inputs: [from, kernel, bias], output })
  }
  let deep = 'x'
  for (const at of hidden.keys()) {
    dense(deep, `trunk/layer${at}`, `sum${at}`)
    nodes.push({ operator: 'Relu', inputs: [`sum${at}`], output: `deep${at}` })
    deep = `deep${at}`
  }
  if (kind === 'DCN-v2') {
    let crossed = 'x'
    for (let at = 0; at < 3; at++) {
      dense(crossed, `trunk/cross${at}`, `product${at}`)
      nodes.push({ operator: 'Mul', inputs: ['x', `product${at}`], output: `factor${at}` })
      nodes.push({ operator: 'Add', inputs: [`factor${at}`, crossed], output: `crossed${at}` })
      crossed = `crossed${at}`
    }
    nodes.push({ operator: 'Concat', inputs: [crossed, deep], output: 'both', axis: 1 })
    deep = 'both'
  }
  const head = [...parameters.weights.keys()].find((key) => key.endsWith('numbers_kernel'))!
  dense(deep, head.slice(0, -'_kernel'.length), 'logit')
  nodes.push({ operator: 'Sigmoid', inputs: ['logit'], output: 'y' })
  return { width: modelWidth, nodes, weights: parameters.weights }
}

function refuse(path: string): never {
  throw new Error(`the spec extends ${path}`)
}
