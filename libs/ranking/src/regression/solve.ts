/**
 * Solves A·x = b for a symmetric, positive definite A (`size × size`, of which only the lower half is read) by Cholesky's
 * decomposition. Throws a RangeError if A is not positive definite.
 */
export function solveSymmetric(matrix: Float64Array, right: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column]!
      for (let k = 0; k < column; k++) sum -= lower[row * size + k]! * lower[column * size + k]!
      if (row !== column) lower[row * size + column] = sum / lower[column * size + column]!
      else if (sum > 0) lower[row * size + row] = Math.sqrt(sum)
      else throw new RangeError(`the matrix is not positive definite (row ${row}: ${sum})`)
    }
  }
  const solution = right.slice()
  for (let row = 0; row < size; row++) {
    let sum = solution[row]!
    for (let k = 0; k < row; k++) sum -= lower[row * size + k]! * solution[k]!
    solution[row] = sum / lower[row * size + row]!
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = solution[row]!
    for (let k = row + 1; k < size; k++) sum -= lower[k * size + row]! * solution[k]!
    solution[row] = sum / lower[row * size + row]!
  }
  return solution
}
