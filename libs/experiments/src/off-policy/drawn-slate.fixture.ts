/** Draws a slate by Plackett–Luce, with the probability of each step. `left`: the candidates that were not drawn. */
export function drawnSlate(
  values: readonly number[],
  given: { readonly places: number; readonly temperature: number; readonly random: () => number },
): { readonly picks: number[]; readonly steps: number[]; readonly left: number[] } {
  const { places, temperature, random } = given
  const left = values.map((_, at) => at)
  const picks: number[] = []
  const steps: number[] = []
  for (let place = 0; place < places; place++) {
    const masses = left.map((at) => Math.exp(values[at]! / temperature))
    const total = masses.reduce((sum, mass) => sum + mass, 0)
    let at = 0
    for (let rest = random() * total - masses[0]!; rest > 0 && at < left.length - 1; rest -= masses[at]!) at++
    steps.push(masses[at]! / total)
    picks.push(left[at]!)
    left.splice(at, 1)
  }
  return { picks, steps, left }
}
