import { instantiate, type LinearMemory } from '@freshet/columns/wasm'

/** Rows that the kernel computes together. */
export const blockRows = 6

/** Columns of a panel of packed weights. */
export const panelColumns = 8

/** The compiled loops (assembly/inference.ts explains each). Addresses and strides are bytes; counts are numbers of floats. */
export interface InferenceKernel {
  dense(
    x: number,
    xStride: number,
    inputs: number,
    weights: number,
    panels: number,
    relu: 0 | 1,
    out: number,
    outStride: number,
    rows: number,
  ): void
  multiplyAdd(a: number, b: number, c: number, out: number, count: number): void
  add(a: number, b: number, out: number, count: number): void
  copyRows(from: number, fromStride: number, to: number, toStride: number, bytes: number, rows: number): void
  sumOfRows(
    table: number,
    size: number,
    indices: number,
    hashes: number,
    out: number,
    outStride: number,
    rows: number,
  ): void
  zeroMissing(at: number, count: number): void
}

/** The kernel on a memory that the caller has laid out. */
export function createInferenceKernel(memory: LinearMemory): InferenceKernel {
  return instantiate<InferenceKernel>(new URL('../../wasm/inference.wasm', import.meta.url), { env: { memory } })
}
