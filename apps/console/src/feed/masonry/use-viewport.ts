import { useEffect, useState, type RefObject } from 'react'

/** The width of an element, and which part of it is on the screen, in its own coordinates. */
export interface Viewport {
  readonly width: number
  readonly from: number
  readonly to: number
}

/** The range moves in steps, so that a scroll draws only a few times a second. */
const stepPx = 160

/** Follows an element in the page or in the nearest ancestor that is marked with `data-scroller`. */
export function useViewport(ref: RefObject<HTMLElement | null>): Viewport {
  const [viewport, setViewport] = useState<Viewport>({ width: 0, from: 0, to: 0 })
  useEffect(() => {
    const element = ref.current!
    const scroller = element.closest<HTMLElement>('[data-scroller]')
    let frame = 0
    const measure = (): void => {
      frame = 0
      const box = element.getBoundingClientRect()
      const frameTop = scroller ? scroller.getBoundingClientRect().top : 0
      const height = scroller ? scroller.clientHeight : window.innerHeight
      const from = Math.floor((frameTop - box.top) / stepPx) * stepPx
      const to = Math.ceil((frameTop + height - box.top) / stepPx) * stepPx
      const width = element.clientWidth
      setViewport((last) => (last.width === width && last.from === from && last.to === to ? last : { width, from, to }))
    }
    const soon = (): void => {
      frame ||= requestAnimationFrame(measure)
    }
    measure()
    const target = scroller ?? window
    target.addEventListener('scroll', soon, { passive: true })
    window.addEventListener('resize', soon)
    const observer = new ResizeObserver(soon)
    observer.observe(element)
    return () => {
      cancelAnimationFrame(frame)
      target.removeEventListener('scroll', soon)
      window.removeEventListener('resize', soon)
      observer.disconnect()
    }
  }, [ref])
  return viewport
}
