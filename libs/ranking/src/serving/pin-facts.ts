import type { Pin } from '@freshet/domain/pin'
import type { Plan, PlanInput } from '../plan/plan.ts'

/** A fact about the pins of a page as a model read it. */
export interface PinFact {
  /** Its name in the ranking language. */
  readonly name: string
  /** The texts of the first pin, then those of the second, and so on. */
  readonly texts: readonly string[]
  /** How many of `texts` a pin has; 0: none is known. */
  readonly counts: Uint16Array
}

/** What only the ranker knows of the pins: its own view gives it, and the other facts are those of the request. */
const readers: Readonly<Record<string, (pin: Pin) => readonly string[]>> = {
  'pin.creator': ({ creatorId }) => (creatorId === null ? [] : [creatorId]),
  'pin.topics': ({ topics }) => topics,
}

/** The inputs of a plan that are such facts. */
export function pinInputsOf({ inputs }: Pick<Plan, 'inputs'>): readonly PlanInput[] {
  return inputs.filter(({ name }) => Object.hasOwn(readers, name))
}

/** What these inputs (`pinInputsOf`) say about pins. */
export function pinFactsOf(inputs: readonly PlanInput[], pins: readonly (Pin | null)[]): readonly PinFact[] {
  return inputs.map(({ name, type }) => {
    const read = readers[name]!
    const max = type.kind === 'sequence' ? type.max : 1
    const counts = new Uint16Array(pins.length)
    const texts: string[] = []
    for (let row = 0; row < pins.length; row++) {
      const pin = pins[row]!
      if (pin === null) continue
      const known = read(pin)
      counts[row] = Math.min(known.length, max)
      for (let at = 0; at < counts[row]!; at++) texts.push(known[at]!)
    }
    return { name, texts, counts }
  })
}
