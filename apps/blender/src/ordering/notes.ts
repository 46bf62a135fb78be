import type { StrictlyPlaced } from '@freshet/ordering/place-strictly'

/** What a step notes about candidates. */
export interface Notes {
  readonly names: readonly string[]
  /** By candidate: one plus the index of its note; 0: none. */
  readonly noted: Uint8Array
}

/** Notes at which candidates a rule was broken, because no candidate met all of them. `rules` names them in their order. */
export function brokenRules({ order, relaxed }: StrictlyPlaced, rules: readonly string[]): Notes {
  const noted = new Uint8Array(order.length)
  relaxed.forEach((dropped, place) => {
    if (dropped > 0) noted[order[place]!] = rules.length - dropped + 1
  })
  return { names: rules.map((rule) => `broke-${rule}`), noted }
}
