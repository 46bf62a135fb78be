import { mulberry32 } from '@freshet/domain/mulberry32'
import type { Column } from '@freshet/ranking/plan/column'
import { createPlanScorer } from '@freshet/ranking/model/plan-scorer'
import { chooseBackend, type BackendChoice } from '@freshet/ranking/tensor/backend'
import { graphOf, modelKinds, modelOf, modelWidth, type ModelKind } from '../model-spec.ts'
import { onnxBytes } from '../onnx-model.ts'
import { serveParent } from './child.ts'

/** What this file uses of onnxruntime-node. */
interface OnnxRuntime {
  readonly InferenceSession: {
    create(
      bytes: Uint8Array,
      options: Readonly<Record<string, unknown>>,
    ): Promise<{
      run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, { data: Float32Array }>>>
    }>
  }
  readonly Tensor: new (type: 'float32', values: Float32Array, shape: readonly number[]) => unknown
}

/** How long each page took, milliseconds, both ways alternating. */
export interface ModelTimes {
  readonly kind: ModelKind
  readonly ours: readonly number[]
  /** Of onnxruntime-node; empty: it is not installed. */
  readonly theirs: readonly number[]
}

const candidates = 500

serveParent({
  /** Times all models with a backend. null: it is not installed. */
  async measure({ backend, pages }: { readonly backend: BackendChoice; readonly pages: number }) {
    try {
      await chooseBackend(backend)
    } catch {
      return null
    }
    const times: ModelTimes[] = []
    for (const kind of modelKinds) times.push(await timesOf(kind, pages))
    return times
  },
  stop: async () => undefined,
})

async function timesOf(kind: ModelKind, pages: number): Promise<ModelTimes> {
  const model = modelOf(kind)
  const scorer = createPlanScorer(model, 'benchmark')
  const reference = await openReference(onnxBytes(graphOf(kind, model)))
  const random = mulberry32(1)
  const times = { kind, ours: [] as number[], theirs: [] as number[] }
  const warmUp = 50
  for (let page = -warmUp; page < pages; page++) {
    const values = Float32Array.from({ length: candidates * modelWidth }, () => random() - 0.5)
    const inputs = new Map<string, Column>([
      ['candidate.x', { kind: 'numbers', rows: candidates, width: modelWidth, values }],
    ])
    const start = performance.now()
    const { predictions } = scorer.score(inputs, candidates)
    const middle = performance.now()
    const wanted = await reference?.(values)
    const end = performance.now()
    if (wanted !== undefined) checkEqual(kind, predictions, wanted)
    if (page < 0) continue
    times.ours.push(middle - start)
    if (wanted !== undefined) times.theirs.push(end - middle)
  }
  scorer.dispose()
  return times
}

/** What computes a page in onnxruntime-node on one thread; null: it is not installed. */
async function openReference(bytes: Uint8Array): Promise<((values: Float32Array) => Promise<Float32Array>) | null> {
  // Not a static import: type checking and the other benchmarks do not need the package.
  const packageName: string = 'onnxruntime-node'
  const onnx = await import(packageName).then(
    (found: OnnxRuntime) => found,
    () => null,
  )
  if (onnx === null) return null
  const session = await onnx.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  })
  return async (values) => {
    const { y } = await session.run({ x: new onnx.Tensor('float32', values, [candidates, modelWidth]) })
    return y!.data
  }
}

/** Throws if one way does not compute what the other does. */
function checkEqual(kind: ModelKind, ours: Float32Array, theirs: Float32Array): void {
  const worst = ours.reduce((most, value, row) => Math.max(most, Math.abs(value - theirs[row]!)), 0)
  if (!(worst <= 1e-5)) throw new Error(`${kind}: the probabilities differ by ${worst}`)
}
