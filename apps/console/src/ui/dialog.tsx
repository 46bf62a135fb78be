import { useId, useLayoutEffect, useRef, type ReactNode } from 'react'
import { IconButton } from './button.tsx'
import { Icon } from './icon.tsx'
import './dialog.css'

/** A window above the page. The browser keeps the focus inside; Escape and a click beside it call `onClose`. */
export function Dialog({
  title,
  children,
  onClose,
  width = 'm',
  side = false,
}: {
  readonly title: string
  readonly children: ReactNode
  readonly onClose: () => void
  readonly width?: 's' | 'm' | 'l'
  /** At the right edge, as a panel; on phones at the bottom. */
  readonly side?: boolean
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  // Closed while it is still in the page: only then does the browser give the focus back.
  useLayoutEffect(() => {
    const dialog = ref.current!
    if (!dialog.open) dialog.showModal()
    return () => {
      dialog.close()
    }
  }, [])
  return (
    <dialog
      ref={ref}
      className={`dialog dialog-${width} ${side ? 'dialog-side' : ''}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose()
      }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={id}>{title}</h2>
          <IconButton label="Close" onClick={onClose}>
            <Icon name="close" />
          </IconButton>
        </header>
        <div className="dialog-content">{children}</div>
      </div>
    </dialog>
  )
}
