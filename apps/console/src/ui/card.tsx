import { useId, type ReactNode } from 'react'
import './card.css'

/** A framed part of a page with a title. */
export function Card({
  title,
  note,
  actions,
  children,
}: {
  readonly title: string
  /** One line under the title. */
  readonly note?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}) {
  const id = useId()
  return (
    <section className="card" aria-labelledby={id}>
      <header className="card-head">
        <div>
          <h2 id={id}>{title}</h2>
          {note !== undefined && <p className="card-note">{note}</p>}
        </div>
        {actions !== undefined && <div className="card-actions">{actions}</div>}
      </header>
      {children}
    </section>
  )
}

/** A number with its name, for a row of them. */
export function Figure({
  name,
  value,
  note,
}: {
  readonly name: string
  readonly value: ReactNode
  readonly note?: ReactNode
}) {
  return (
    <div className="figure">
      <span className="figure-name">{name}</span>
      <span className="figure-value number">{value}</span>
      {note !== undefined && <span className="figure-note">{note}</span>}
    </div>
  )
}

/** A small coloured word about a state. */
export function Badge({
  tone = 'plain',
  children,
}: {
  readonly tone?: 'plain' | 'good' | 'warn' | 'bad' | 'accent'
  readonly children: ReactNode
}) {
  return <span className={`badge badge-${tone}`}>{children}</span>
}
