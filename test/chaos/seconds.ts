/** Milliseconds as seconds with one decimal place, for texts. */
export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`
