import { useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import type { Box } from '../../api/demo.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { boxBetween, boxInWords, moved, resized } from './crop.ts'
import './crop-tool.css'

const firstBox: Box = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 }
const step = 0.04

/** Lies on a picture. A drag marks a part of it; with the keyboard, arrows move the mark, and with Shift they size it. `onSearch` gets the part. */
export function CropTool({
  onSearch,
  onClose,
}: {
  readonly onSearch: (box: Box) => void
  readonly onClose: () => void
}) {
  const overlay = useRef<HTMLDivElement>(null)
  const ref = useRef<HTMLDivElement>(null)
  const from = useRef<readonly [number, number] | null>(null)
  const [box, setBox] = useState(firstBox)

  // Shares are of the picture, which is a square in the middle of its card.
  useLayoutEffect(() => {
    const card = overlay.current!.parentElement!
    const lie = (): void => {
      const image = card.querySelector('img') ?? card
      const side = Math.min(image.clientWidth, image.clientHeight)
      const square = ref.current!
      square.style.width = square.style.height = `${side}px`
      square.style.left = `${(card.clientWidth - side) / 2}px`
      square.style.top = `${(card.clientHeight - side) / 2}px`
    }
    lie()
    ref.current!.querySelector<HTMLElement>('.crop-box')!.focus({ preventScroll: true })
    const observer = new ResizeObserver(lie)
    observer.observe(card)
    return () => {
      observer.disconnect()
    }
  }, [])

  const pointOf = (event: PointerEvent): readonly [number, number] => {
    const { left, top, width, height } = ref.current!.getBoundingClientRect()
    return [(event.clientX - left) / width, (event.clientY - top) / height]
  }
  const press = (event: KeyboardEvent): void => {
    const delta = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key]
    if (delta) setBox(event.shiftKey ? resized(box, delta[0]!, delta[1]!) : moved(box, delta[0]!, delta[1]!))
    else if (event.key === 'Enter') onSearch(box)
    else if (event.key === 'Escape') onClose()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const percent = (share: number): string => `${share * 100}%`
  return (
    <div
      ref={overlay}
      className="crop"
      onPointerDown={(event) => {
        if ((event.target as HTMLElement).closest('button')) return
        from.current = pointOf(event)
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={(event) => {
        if (from.current) setBox(boxBetween(from.current, pointOf(event)))
      }}
      onPointerUp={(event) => {
        if (!from.current) return
        const next = boxBetween(from.current, pointOf(event))
        from.current = null
        setBox(next)
        onSearch(next)
      }}
    >
      <div ref={ref} className="crop-square">
        <div
          className="crop-box"
          role="group"
          tabIndex={0}
          aria-roledescription="crop"
          aria-label="Part of the picture. Arrow keys move it, with Shift they size it, Enter searches."
          onKeyDown={press}
          style={{ left: percent(box.x), top: percent(box.y), width: percent(box.width), height: percent(box.height) }}
        />
      </div>
      <p className="hidden-words" aria-live="polite">
        {boxInWords(box)}
      </p>
      <div className="crop-buttons">
        <Button
          size="s"
          look="solid"
          icon={<Icon name="search" />}
          onClick={() => {
            onSearch(box)
          }}
        >
          Search this part
        </Button>
        <Button size="s" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  )
}
