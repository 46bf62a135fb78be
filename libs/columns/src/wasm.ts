import { readFileSync } from 'node:fs'

// Node's types know WebAssembly's namespace, but not its constructors.
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => LinearMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/** Memory that WebAssembly and JavaScript share. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer
}

const compiled = new Map<string, object>()

/** A new instance of a committed kernel (`libs/ROOM/wasm/NAME.wasm`), which is compiled once a process. Throws what reading the file throws. */
export function instantiate<Exports>(file: URL, imports: object): Exports {
  let module = compiled.get(file.href)
  if (module === undefined) {
    module = new WebAssembly.Module(readFileSync(file))
    compiled.set(file.href, module)
  }
  return new WebAssembly.Instance(module, imports).exports as Exports
}

const pageBytes = 65_536
/** A 32-bit address reaches no further. */
const maxBytes = 2 ** 32
/** A cache line, so that no two columns share one. */
const alignment = 64

/** Gives each column of a kernel its place in one linear memory. */
export interface MemoryLayout {
  /** Bytes given out so far. */
  readonly end: number
  /** The address of the next `bytes` bytes, a multiple of 64. */
  take(bytes: number): number
  /** A memory with room for all of it, zero. `what` says what needs it. Throws a RangeError above 4 GiB. */
  allocate(what: string): { readonly memory: LinearMemory; readonly bytes: number }
}

/** A layout in which nothing has a place yet. Address 0 is never given out. */
export function createMemoryLayout(): MemoryLayout {
  let end = alignment
  return {
    get end() {
      return end
    },
    take(bytes) {
      const at = end
      end += Math.ceil(bytes / alignment) * alignment
      return at
    },
    allocate(what) {
      if (end > maxBytes) throw new RangeError(`${what} need ${end} bytes; at most ${maxBytes} can be addressed`)
      const pages = Math.ceil(end / pageBytes)
      return { memory: new WebAssembly.Memory({ initial: pages, maximum: pages }), bytes: pages * pageBytes }
    },
  }
}
