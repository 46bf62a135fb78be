/** A line of code that counts, and where it stands. */
interface Line {
  readonly text: string
  /** From 1. */
  readonly number: number
}

/** Lines that stand in two places. Line numbers are from 1, both ends included. */
export interface Duplicate {
  readonly lines: number
  readonly first: Place
  readonly second: Place
}

export interface Place {
  readonly file: string
  readonly from: number
  readonly to: number
}

/**
 * Every run of at least `least` lines that stands in two places of the texts, each run once and as long as it is.
 * Indentation, empty lines, comments, imports, and lines without a letter or digit (closing brackets) don't count.
 */
export function findDuplicates(texts: ReadonlyMap<string, string>, least: number): Duplicate[] {
  const files = [...texts].map(([file, text]) => ({ file, lines: countedLines(text) }))
  const seen = new Map<string, { readonly file: number; readonly at: number }[]>()
  const found: Duplicate[] = []
  /** Ends of runs already reported, by both files and the distance between the runs. */
  const reportedTo = new Map<string, number>()

  files.forEach(({ lines }, file) => {
    for (let at = 0; at + least <= lines.length; at++) {
      const key = lines
        .slice(at, at + least)
        .map(({ text }) => text)
        .join('\n')
      const places = seen.get(key) ?? []
      for (const place of places) report(place, { file, at })
      places.push({ file, at })
      seen.set(key, places)
    }
  })
  return found

  function report(a: { file: number; at: number }, b: { file: number; at: number }): void {
    const one = files[a.file]!
    const other = files[b.file]!
    if (a.file === b.file && b.at < a.at + least) return
    const run = `${a.file} ${b.file} ${b.at - a.at}`
    if ((reportedTo.get(run) ?? -1) >= b.at) return
    let length = least
    const limit = a.file === b.file ? b.at - a.at : Infinity
    while (
      length < limit &&
      one.lines[a.at + length] &&
      one.lines[a.at + length]?.text === other.lines[b.at + length]?.text
    )
      length++
    reportedTo.set(run, b.at + length - least)
    found.push({ lines: length, first: place(one, a.at, length), second: place(other, b.at, length) })
  }

  function place({ file, lines }: { file: string; lines: readonly Line[] }, at: number, length: number): Place {
    return { file, from: lines[at]!.number, to: lines[at + length - 1]!.number }
  }
}

/** The lines of a TypeScript source that count. */
function countedLines(text: string): Line[] {
  const withoutComments = text.replace(/^[ \t]*\/\*[\s\S]*?\*\/[ \t]*$/gm, blank).replace(/^[ \t]*\/\/.*$/gm, '')
  const withoutImports = withoutComments.replace(/^(import|export)\b[^'"`;=]*?from ['"][^'"]+['"]$/gm, blank)
  return withoutImports
    .split('\n')
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(({ text: line }) => /[\p{L}\p{N}]/u.test(line) && !/^import ['"]/.test(line))
}

/** As many empty lines. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, '')
}
