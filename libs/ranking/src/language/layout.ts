/** Text with places where it may break. After Wadler, "A prettier printer": a group is on one line if it fits, else broken. */
export type Layout =
  | string
  | { readonly kind: 'all'; readonly parts: readonly Layout[] }
  /** Breaks at all of its own breaks or at none. */
  | { readonly kind: 'group'; readonly of: Layout }
  /** Lines inside begin two columns further right. */
  | { readonly kind: 'indent'; readonly of: Layout }
  /** A new line, or `flat` if the group around it is on one line. */
  | { readonly kind: 'break'; readonly flat: string }

export function all(...parts: readonly Layout[]): Layout {
  return { kind: 'all', parts }
}

export function group(...parts: readonly Layout[]): Layout {
  return { kind: 'group', of: all(...parts) }
}

export function indent(...parts: readonly Layout[]): Layout {
  return { kind: 'indent', of: all(...parts) }
}

/** A space, or a new line. */
export const space: Layout = { kind: 'break', flat: ' ' }
/** Nothing, or a new line. */
export const fold: Layout = { kind: 'break', flat: '' }

/** The layouts with a comma between each two. */
export function commaSeparated(parts: readonly Layout[]): Layout {
  return all(...parts.flatMap((part, index) => (index === 0 ? [part] : [',', space, part])))
}

/** The text of a layout, with lines of at most `width` columns where the breaks allow that. */
export function render(layout: Layout, width: number): string {
  let text = ''
  let column = 0
  const write = (part: string): void => {
    text += part
    column += part.length
  }
  const visit = (part: Layout, depth: number, isFlat: boolean): void => {
    if (typeof part === 'string') write(part)
    else if (part.kind === 'all') for (const inner of part.parts) visit(inner, depth, isFlat)
    else if (part.kind === 'indent') visit(part.of, depth + 2, isFlat)
    else if (part.kind === 'group') visit(part.of, depth, isFlat || column + flatWidth(part.of) <= width)
    else if (isFlat) write(part.flat)
    else {
      text = `${text.trimEnd()}\n${' '.repeat(depth)}`
      column = depth
    }
  }
  visit(layout, 0, false)
  return text
}

function flatWidth(layout: Layout): number {
  if (typeof layout === 'string') return layout.length
  if (layout.kind === 'all') return layout.parts.reduce((sum, part) => sum + flatWidth(part), 0)
  return layout.kind === 'break' ? layout.flat.length : flatWidth(layout.of)
}
