/** An eigenvalue of a symmetric matrix and its vector of length 1. */
export interface Eigen {
  readonly value: number
  readonly vector: Float64Array
}

/** All eigenvectors of a symmetric matrix of n × n numbers, the largest value first (cyclic Jacobi rotations). Overwrites the matrix. */
export function eigenvectorsOf(matrix: Float64Array, n: number): readonly Eigen[] {
  const vectors = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0))
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  for (let sweep = 0; sweep < 12; sweep++)
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const value = matrix[p * n + q]!
        if (Math.abs(value) < 1e-12 * largest) continue
        const theta = (matrix[q * n + q]! - matrix[p * n + p]!) / (2 * value)
        const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
        const cosine = 1 / Math.sqrt(tangent * tangent + 1)
        for (let k = 0; k < n; k++) rotate(matrix, [k * n + p, k * n + q], cosine, tangent * cosine)
        for (let k = 0; k < n; k++) rotate(matrix, [p * n + k, q * n + k], cosine, tangent * cosine)
        for (let k = 0; k < n; k++) rotate(vectors, [p * n + k, q * n + k], cosine, tangent * cosine)
      }
  return Array.from({ length: n }, (_, at) => ({
    value: matrix[at * n + at]!,
    vector: vectors.slice(at * n, (at + 1) * n),
  })).sort((a, b) => b.value - a.value)
}

function rotate(numbers: Float64Array, [a, b]: readonly [number, number], cosine: number, sine: number): void {
  const [first, second] = [numbers[a]!, numbers[b]!]
  numbers[a] = cosine * first - sine * second
  numbers[b] = sine * first + cosine * second
}
