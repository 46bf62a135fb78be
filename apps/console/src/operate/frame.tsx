import type { ReactNode } from 'react'

/** The frame of an operator's view: its title, one sentence about it, and the content. */
export function OperatorPage({
  title,
  about,
  children,
}: {
  readonly title: string
  readonly about: string
  readonly children: ReactNode
}) {
  return (
    <div className="operate">
      <header>
        <h1>{title}</h1>
        <p>{about}</p>
      </header>
      {children}
    </div>
  )
}
