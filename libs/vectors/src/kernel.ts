import { instantiate } from '@freshet/columns/wasm'

/** The compiled hot loops (assembly/vectors.ts explains each); addresses and counts are plain numbers, memory is laid out by the host. */
export interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  firstFree(): number
  layout(paddedWidth: number, queryAt: number, scratchAt: number, rows: number): void
  encode(block: number, slot: number, id: number): void
  copy(fromBlock: number, fromSlot: number, toBlock: number, toSlot: number): void
  begin(k: number, filter: number): void
  scan(block: number, count: number, mean: number): number
  spread(): number
  entered(): number
  tighten(): number
  finish(outIds: number, outScores: number): number
  encodeMean(vector: number, codes: number, row: number): number
  nearestMean(codes: number, scales: number, halves: number, count: number): number
  meanScores(codes: number, scales: number, count: number, out: number): void
}

/** Rows in a block, and where its columns begin (bytes from the block's address); row numbers follow the codes. */
export const block = { rows: 64, next: 0, vectors: 4, codes: 272 } as const

/** Bytes that a search needs for each candidate that it may hold. */
export const bytesPerCandidate = 24

/** A kernel with a memory of its own; `accept` answers for the search under way (≠ 0: may enter). */
export function createKernel(accept: (row: number) => number): Kernel {
  return instantiate<Kernel>(new URL('../wasm/vectors.wasm', import.meta.url), { candidates: { accept } })
}
