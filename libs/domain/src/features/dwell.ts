/** How much of a whole look an action was, in (0, 1]: the time that the user looked ÷ `fullMs`, at most 1; 1 if the time is not known. */
export function dwellWeight(dwellMs: number | null, fullMs: number): number {
  return dwellMs === null || dwellMs >= fullMs ? 1 : Math.max(dwellMs, 1) / fullMs
}
