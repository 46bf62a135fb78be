import type { Terminal } from './terminal.ts'

/** A terminal whose clock stands still and that keeps what commands write. */
export function aTerminal(): Terminal & { readonly printed: string[] } {
  const printed: string[] = []
  return {
    printed,
    signal: new AbortController().signal,
    nowMs: () => 0,
    write: (text) => void printed.push(text),
    progress: { write: () => true },
  }
}
