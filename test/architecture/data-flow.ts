/** One way that data takes: from a service to a topic, a topic to a service, or a caller to the service it calls. */
export type Edge = `${string} → ${string}`

interface Word {
  readonly kind: 'app' | 'topic' | 'right' | 'left'
  readonly name: string
  /** Columns in the line: the first, and the one after the last. */
  readonly from: number
  readonly to: number
}

/**
 * The edges that a diagram of text shows. `a ──▶ b` leads from a to b and `b ◀── a` too; `a folds t.v1, u.v1` leads from the
 * topics to a; an arrow between two topics is drawn by the line's app, which writes the second. A line that starts at `├` or
 * `└` goes on from the app above it.
 */
export function edgesOf(diagram: string, apps: readonly string[]): Set<Edge> {
  const edges = new Set<Edge>()
  const above: { readonly name: string; readonly from: number; readonly to: number }[] = []
  for (const line of diagram.split('\n')) {
    const branch = line.search(/[├└]/)
    const owner = branch < 0 ? null : above.findLast(({ from, to }) => from <= branch && branch < to)
    const words = wordsOf(line, apps)
    const lineApp = words.find(({ kind }) => kind === 'app')?.name ?? owner?.name ?? ''
    let last: { readonly kind: Word['kind']; readonly name: string } | null = owner
      ? { kind: 'app', name: owner.name }
      : null
    let arrow: 'right' | 'left' | null = null
    for (const word of words) {
      if (word.kind === 'right' || word.kind === 'left') {
        arrow = word.kind
        continue
      }
      if (last !== null && arrow === 'right')
        edges.add(`${last.kind === 'topic' && word.kind === 'topic' ? lineApp : last.name} → ${word.name}`)
      if (last !== null && arrow === 'left') edges.add(`${word.name} → ${last.name}`)
      // Listed behind another: "folds a.v1, b.v1", "◀── a.v1, b.v1".
      if (arrow === null && word.kind === 'topic') edges.add(`${word.name} → ${lineApp}`)
      if (word.kind === 'app') above.push({ name: word.name, from: word.from, to: word.to })
      last = word
      arrow = null
    }
  }
  return edges
}

function wordsOf(line: string, apps: readonly string[]): Word[] {
  return [...line.matchAll(/▶|◀|[a-z][a-z-]*(\.v1)?/g)].flatMap((match): Word[] => {
    const [text] = match
    const place = { name: text, from: match.index, to: match.index + text.length }
    if (text === '▶') return [{ kind: 'right', ...place }]
    if (text === '◀') return [{ kind: 'left', ...place }]
    if (text.endsWith('.v1')) return [{ kind: 'topic', ...place }]
    return apps.includes(text) ? [{ kind: 'app', ...place }] : []
  })
}
