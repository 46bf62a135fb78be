import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from 'react'
import { appearanceOf } from '../pin/appearance.ts'
import {
  extend,
  firstBelow,
  gridFor,
  heightOf,
  leftOf,
  neighbour,
  place,
  visibleRange,
  type Direction,
  type Placement,
} from './layout.ts'
import { useViewport } from './use-viewport.ts'
import './masonry.css'

/** An item of a masonry. */
export interface MasonryItem {
  readonly pinId: string
}

/** What the drawing of an item gets. */
export interface Cell {
  /** Of the picture, CSS pixels. */
  readonly height: number
  /** It has the roving focus. */
  readonly isActive: boolean
}

/** Below the picture: one line of title and one of notes. */
const captionPx = 44
/** How far beyond the screen items are drawn. */
const overscanPx = 700

const directions: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}

/** Draws the items that are near the screen, in columns. One item at a time can be reached by Tab; arrows move between them. */
export function Masonry<Item extends MasonryItem>({
  label,
  items,
  children,
  pending = 0,
  onNearEnd,
  below,
}: {
  readonly label: string
  readonly items: readonly Item[]
  readonly children: (item: Item, cell: Cell) => ReactNode
  /** Grey cards behind the last item, while more is loading. */
  readonly pending?: number
  /** The end is less than two screens away. */
  readonly onNearEnd?: () => void
  /** Gets a function that returns the first item that is wholly below the screen. */
  readonly below?: { current: (() => number) | null }
}) {
  const ref = useRef<HTMLDivElement>(null)
  const viewport = useViewport(ref)
  const placement = usePlacement(items, viewport.width)
  const [active, setActive] = useState(0)
  const height = heightOf(placement)
  const [first, last] = visibleRange(placement, viewport.from - overscanPx, viewport.to + overscanPx)

  useEffect(() => {
    if (viewport.width > 0 && height - viewport.to < 2 * (viewport.to - viewport.from)) onNearEnd?.()
  }, [height, viewport, onNearEnd])

  useEffect(() => {
    if (!below) return
    below.current = () => {
      const top = ref.current?.getBoundingClientRect().top ?? 0
      return firstBelow(placement, window.innerHeight - top)
    }
    return () => {
      below.current = null
    }
  }, [below, placement])

  const move = useCallback(
    (event: KeyboardEvent) => {
      const direction = directions[event.key]
      const target = event.target as HTMLElement
      if (direction === undefined || event.altKey || event.ctrlKey || event.metaKey) return
      if (target.closest('input, select, textarea, [role="menu"], dialog') !== ref.current?.closest('dialog')) return
      const cell = target.closest<HTMLElement>('[data-at]')
      if (!cell) return
      event.preventDefault()
      const next = neighbour(placement, Number(cell.dataset['at']), direction)
      setActive(next)
      focusAt(ref.current, next, placement)
    },
    [placement],
  )

  // The focus of an item that was taken off goes to the one in its place, not to the top of the page.
  const focused = useRef<string | null>(null)
  useLayoutEffect(() => {
    if (focused.current === null || document.activeElement !== document.body) return
    if (items.length === 0 || items.some(({ pinId }) => pinId === focused.current)) return
    focusAt(ref.current!, Math.min(active, items.length - 1), placement)
  }, [items, active, placement])

  const shown = Math.min(active, Math.max(0, items.length - 1))
  const roving = shown >= first && shown < last ? shown : first
  return (
    <div
      ref={ref}
      className="masonry"
      role="feed"
      aria-label={label}
      aria-busy={pending > 0}
      onKeyDown={move}
      style={{ height: height + (pending > 0 ? 420 : 0) }}
    >
      {items.slice(first, last).map((item, offset) => {
        const at = first + offset
        const cell = {
          height: placement.heights[at]! - captionPx,
          isActive: at === roving,
        }
        return (
          <div
            key={item.pinId}
            className="masonry-cell"
            data-at={at}
            onFocus={() => {
              focused.current = item.pinId
              setActive(at)
            }}
            onBlur={({ relatedTarget }) => {
              if (relatedTarget) focused.current = null
            }}
            style={{
              width: placement.grid.columnWidth,
              height: placement.heights[at]!,
              transform: `translate(${leftOf(placement, at)}px, ${placement.tops[at]!}px)`,
            }}
          >
            {children(item, cell)}
          </div>
        )
      })}
      {pending > 0 && viewport.width > 0 && <Pending placement={placement} count={pending} />}
    </div>
  )
}

/** Keeps the placement while items are only added at the end. */
function usePlacement(items: readonly MasonryItem[], width: number): Placement {
  const kept = useRef<{ placement: Placement; items: readonly MasonryItem[] } | null>(null)
  return useMemo(() => {
    const isNarrow = width < 560
    const grid = gridFor(width, isNarrow ? 150 : 228, isNarrow ? 8 : 14)
    const heights = (from: number): number[] =>
      items.slice(from).map(({ pinId }) => Math.round(grid.columnWidth / appearanceOf(pinId).aspect) + captionPx)
    const last = kept.current
    const isLonger =
      last !== null &&
      last.placement.grid.columnWidth === grid.columnWidth &&
      last.placement.grid.columns === grid.columns &&
      last.items.length <= items.length &&
      last.items.every((item, at) => item.pinId === items[at]!.pinId)
    const placement = isLonger ? extend(last.placement, heights(last.items.length)) : place(grid, heights(0))
    kept.current = { placement, items }
    return placement
  }, [items, width])
}

function Pending({ placement, count }: { readonly placement: Placement; readonly count: number }) {
  const { columnWidth } = placement.grid
  const grey = extend(
    placement,
    Array.from(
      { length: count },
      (_, at) => Math.round(columnWidth / appearanceOf(`pending ${at}`).aspect) + captionPx,
    ),
  )
  return Array.from({ length: count }, (_, offset) => {
    const at = placement.count + offset
    return (
      <div
        key={offset}
        className="masonry-pending"
        aria-hidden="true"
        style={{
          width: columnWidth,
          height: grey.heights[at]! - captionPx,
          transform: `translate(${leftOf(grey, at)}px, ${grey.tops[at]!}px)`,
        }}
      />
    )
  })
}

/** Focuses an item; where it is not drawn yet, after the scroll that draws it. */
function focusAt(feed: HTMLElement, at: number, placement: Placement): void {
  const find = (): HTMLElement | null => feed.querySelector<HTMLElement>(`[data-at="${at}"] [data-roving]`)
  const found = find()
  if (found) {
    found.focus({ preventScroll: true })
    found.scrollIntoView({ block: 'nearest', behavior: 'smooth' })
    return
  }
  const scroller = feed.closest('[data-scroller]') ?? document.scrollingElement!
  const top = feed.getBoundingClientRect().top + placement.tops[at]! - 160
  scroller.scrollBy({ top })
  requestAnimationFrame(() => requestAnimationFrame(() => find()?.focus({ preventScroll: true })))
}
