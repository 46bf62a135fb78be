/** The standard deviation of the utilities of a pool, the unit of weights that rules have; 1 if all are equal. */
export function spreadOf(values: Float32Array): number {
  let mean = 0
  for (const value of values) mean += value / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  const deviation = Math.sqrt(squares / Math.max(1, values.length))
  return deviation > 0 && Number.isFinite(deviation) ? deviation : 1
}
