// Registers the gradients of operations; `tfjs-core` alone has none.
import '@tensorflow/tfjs-layers'
import * as tf from '@tensorflow/tfjs-core'

/** What the kernels below use of the WebAssembly backend. */
interface WasmBackend {
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array | Int32Array
  disposeData(dataId: object): void
}

let registered = false

/**
 * Makes the current backend able to train. Registers the gradients, and on WebAssembly a kernel that it lacks (the sum of
 * segments, the gradient of gather) and one that it has only as a slow loop (products of transposed matrices).
 */
export function registerTrainingKernels(): void {
  if (registered || tf.getBackend() !== 'wasm') return
  registered = true
  tf.registerKernel({ kernelName: 'UnsortedSegmentSum', backendName: 'wasm', kernelFunc: sumSegments })
  const plain = tf.getKernel('BatchMatMul', 'wasm')
  tf.unregisterKernel('BatchMatMul', 'wasm')
  tf.registerKernel({ ...plain, kernelFunc: transposeFirst(plain.kernelFunc) })
}

/** out[segment of row] += row. */
function sumSegments({ inputs, backend, attrs }: Parameters<tf.KernelFunc>[0]): tf.TensorInfo {
  const wasm = backend as WasmBackend
  const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo }
  const { numSegments } = attrs as unknown as { numSegments: number }
  const rows = segmentIds.shape[0]!
  const out = wasm.makeOutput([numSegments, ...x.shape.slice(1)], x.dtype)
  // Views of the heap are taken after the output is there, because making it may move the heap.
  const [values, segments, sums] = [x, segmentIds, out].map((tensor) => wasm.typedArrayFromHeap(tensor)) as [
    Float32Array,
    Int32Array,
    Float32Array,
  ]
  const size = values.length / Math.max(1, rows)
  sums.fill(0)
  for (let row = 0; row < rows; row++) {
    const to = segments[row]! * size
    if (to < 0) continue
    for (let at = 0; at < size; at++) sums[to + at]! += values[row * size + at]!
  }
  return out
}

/** Transposes the matrices that are to be multiplied transposed, then multiplies them with the fast kernel. */
function transposeFirst(multiply: tf.KernelFunc): tf.KernelFunc {
  return (given) => {
    const { inputs, backend, attrs } = given
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo }
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean }
    if (!transposeA && !transposeB) return multiply(given)
    const turned = [transposeA ? transpose(a, backend) : a, transposeB ? transpose(b, backend) : b] as const
    const product = multiply({
      inputs: { a: turned[0], b: turned[1] },
      backend,
      attrs: { ...attrs, transposeA: false, transposeB: false },
    })
    for (const [at, before] of [a, b].entries())
      if (turned[at] !== before) (backend as WasmBackend).disposeData(turned[at]!.dataId)
    return product
  }
}

function transpose(x: tf.TensorInfo, backend: object): tf.TensorInfo {
  const rank = x.shape.length
  const perm = [...Array.from({ length: rank - 2 }, (_, at) => at), rank - 1, rank - 2]
  return tf.getKernel('Transpose', 'wasm').kernelFunc({ inputs: { x }, backend, attrs: { perm } }) as tf.TensorInfo
}
