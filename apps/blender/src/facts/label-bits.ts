/** The most labels that bits can tell apart. The last bit marks a label without a bit of its own. */
export const mostLabels = 31

/** The bit of labels that found no room. No request can allow it. */
const withoutRoom = 1 << mostLabels

/** Bits for safety labels. A label keeps its bit for the life of the process. */
export interface LabelBits {
  /** The bits of a pin's labels. New labels get a bit; labels beyond the cap share the last one. Unsigned. */
  take(labels: readonly string[]): number
  /** The bits of the labels that a request allows. Unknown labels have none. Unsigned. */
  of(labels: readonly string[]): number
  /** Number of times that a label found no room. */
  readonly refused: number
}

/** Creates bits for at most `maxLabels` labels, at most 31. */
export function createLabelBits(maxLabels: number): LabelBits {
  const numbers = new Map<string, number>()
  let refused = 0

  function bitFor(label: string): number {
    const known = numbers.get(label)
    if (known !== undefined) return 1 << known
    if (numbers.size < Math.min(maxLabels, mostLabels)) {
      numbers.set(label, numbers.size)
      return 1 << (numbers.size - 1)
    }
    refused++
    return withoutRoom
  }

  return {
    take: (labels) => labels.reduce((bits, label) => (bits | bitFor(label)) >>> 0, 0),
    of: (labels) =>
      labels.reduce((bits, label) => {
        const number = numbers.get(label)
        return number === undefined ? bits : (bits | (1 << number)) >>> 0
      }, 0),
    get refused() {
      return refused
    },
  }
}
