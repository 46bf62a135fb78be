import { BinaryWriter } from '@bufbuild/protobuf/wire'

/** One operation of a graph. `inputs` and `output` are names of values. */
export interface OnnxNode {
  readonly operator: 'Gemm' | 'Relu' | 'Sigmoid' | 'Mul' | 'Add' | 'Concat'
  readonly inputs: readonly string[]
  readonly output: string
  /** Of `Concat`. */
  readonly axis?: number
}

/** A model with one input `x` (rows × `width`) and one output `y`; `weights` by name. */
export interface OnnxGraph {
  readonly width: number
  readonly nodes: readonly OnnxNode[]
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
}

const float = 1
const integer = 2

/** The bytes of an ONNX file (ModelProto of onnx.proto, operator set 13). */
export function onnxBytes({ width, nodes, weights }: OnnxGraph): Uint8Array {
  const graph = new BinaryWriter()
  for (const node of nodes) message(graph, 1, (to) => writeNode(to, node))
  graph.uint32(tag(2)).string('graph')
  for (const [name, { shape, values }] of weights)
    message(graph, 5, (to) => {
      for (const size of shape) to.uint32(tag(1, 0)).int64(size)
      to.uint32(tag(2, 0)).int32(float).uint32(tag(8)).string(name)
      to.uint32(tag(9)).bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    })
  message(graph, 11, (to) => writeValue(to, 'x', width))
  message(graph, 12, (to) => writeValue(to, 'y', 1))
  const model = new BinaryWriter().uint32(tag(1, 0)).int64(8)
  model.uint32(tag(7)).bytes(graph.finish())
  message(model, 8, (to) => to.uint32(tag(1)).string('').uint32(tag(2, 0)).int64(13))
  return model.finish()
}

function writeNode(to: BinaryWriter, { operator, inputs, output, axis }: OnnxNode): void {
  for (const name of inputs) to.uint32(tag(1)).string(name)
  to.uint32(tag(2)).string(output).uint32(tag(4)).string(operator)
  if (axis === undefined) return
  message(to, 5, (attribute) => {
    attribute.uint32(tag(1)).string('axis').uint32(tag(3, 0)).int64(axis).uint32(tag(20, 0)).int32(integer)
  })
}

/** Name and type: floats of any number of rows and `width` columns. */
function writeValue(to: BinaryWriter, name: string, width: number): void {
  to.uint32(tag(1)).string(name)
  message(to, 2, (type) =>
    message(type, 1, (tensor) => {
      tensor.uint32(tag(1, 0)).int32(float)
      message(tensor, 2, (shape) => {
        message(shape, 1, (rows) => rows.uint32(tag(2)).string('rows'))
        message(shape, 1, (columns) => columns.uint32(tag(1, 0)).int64(width))
      })
    }),
  )
}

function message(to: BinaryWriter, field: number, write: (part: BinaryWriter) => void): void {
  const part = new BinaryWriter()
  write(part)
  to.uint32(tag(field)).bytes(part.finish())
}

/** A field's number and wire type: 0 for whole numbers, 2 for bytes. */
function tag(field: number, wire: 0 | 2 = 2): number {
  return (field << 3) | wire
}
