import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from 'react'
import { after, newId } from '../api/browser.ts'
import { Button, IconButton } from './button.tsx'
import { Icon } from './icon.tsx'
import './toast.css'

/** A short message at the bottom of the page. */
export interface Toast {
  readonly message: string
  readonly tone?: 'plain' | 'bad'
  /** E.g. Undo. */
  readonly action?: { readonly name: string; readonly run: () => void }
}

const ToastContext = createContext<(toast: Toast) => void>(() => undefined)

/** Returns the function that shows a message. It does not change. */
export function useToast(): (toast: Toast) => void {
  return useContext(ToastContext)
}

const shownMs = 6_000
const maxShown = 3

/** Shows messages above its children, and reads them to screen readers. */
export function ToastHost({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly (Toast & { readonly id: string })[]>([])
  const timers = useRef(new Map<string, () => void>())
  const close = useCallback((id: string) => {
    timers.current.get(id)?.()
    timers.current.delete(id)
    setToasts((all) => all.filter((toast) => toast.id !== id))
  }, [])
  const show = useCallback(
    (toast: Toast) => {
      const id = newId()
      setToasts((all) => [...all, { ...toast, id }].slice(-maxShown))
      timers.current.set(
        id,
        after(shownMs, () => {
          close(id)
        }),
      )
    },
    [close],
  )
  const list = useMemo(
    () =>
      toasts.map(({ id, message, tone = 'plain', action }) => (
        <div key={id} className={`toast toast-${tone}`}>
          <span>{message}</span>
          {action && (
            <Button
              look="quiet"
              size="s"
              onClick={() => {
                action.run()
                close(id)
              }}
            >
              {action.name}
            </Button>
          )}
          <IconButton
            label="Dismiss message"
            onClick={() => {
              close(id)
            }}
          >
            <Icon name="close" />
          </IconButton>
        </div>
      )),
    [toasts, close],
  )
  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {list}
      </div>
    </ToastContext>
  )
}
